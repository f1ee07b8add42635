"""How an image is built, exchanged and removed: ``images/<name>`` and its line in the table, in an order that is safe.

An image becomes visible when its line is there, and its files are in place before that: they are copied to
``images/.<name>.<pid>.<random>.partial/`` and moved with one rename.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from udock_lab.errors import Conflict, MdockError
from udock_lab.linux.ownership import adopt
from udock_lab.linux.process import state
from udock_lab.model import Image
from udock_lab.runtime.image.copying import Progress, copy_tree
from udock_lab.runtime.state.home import DISK_FULL, Home, storage_error
from udock_lab.runtime.state.images import (
    check_image_name,
    drop_image,
    format_image_line,
    list_images,
    lookup,
    no_such_image,
    record_image,
)
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.state.removal import refuse_mounts, remove_tree

__all__ = ["aside", "build_image", "remove_image", "retire_image"]

_PARTIAL = ".partial"
_RENAME_EXCHANGE = 2  # renameat2(2)


# -- building ------------------------------------------------------------------------------------------


def build_image(
    home: Home,
    name: str,
    source: str | os.PathLike[str],
    *,
    force: bool = False,
    progress: Progress | None = None,
    on_note: Callable[[str], None] | None = None,
    on_replaced: Callable[[str], None] | None = None,
) -> Image:
    """Copy the directory ``source`` into the home as the image ``name`` and record it.

    ``on_note`` is told of what could not be kept, in sentences (:class:`CopyStats`).

    Until the record is written nobody sees anything of it; after an error, or the death of this process,
    an older image of that name is still there. ``force`` replaces it: ``on_replaced`` is told, under the
    lock, where the older one lies now, and may move it away before it is removed.

    Raises UsageError, NotFound (no source), Conflict, StorageError.
    """
    check_image_name(name)
    image = Image(name=name, rootfs=home.image_rootfs(name), created=time.strftime("%Y-%m-%dT%H:%M:%S"))
    line = format_image_line(image)
    home.create()
    _refuse_existing(home, name, source, force)
    _remove_stale(home)
    with aside(home, name) as partial:
        stats = copy_tree(source, f"{partial}/rootfs", progress)
        with locked(home):
            _refuse_existing(home, name, source, force)  # again: somebody may have been faster
            replaced = _publish(home, name, partial, line)
            if replaced and on_replaced is not None:
                on_replaced(partial)
    if on_note is not None:
        for note in stats.notes:
            on_note(note)
    return image


def _refuse_existing(home: Home, name: str, source: str | os.PathLike[str], force: bool) -> None:
    if not force and any(image.name == name for image in list_images(home.images_db)[0]):
        raise Conflict(
            f"Image '{name}' exists already.",
            f"Replace it with: mdock build --force {name} {shlex.quote(os.fspath(source))}   or choose another name.",
        )


@contextmanager
def aside(home: Home, name: str) -> Iterator[str]:
    """Make a folder to build in, locked so that it is not taken for stale; remove it at the end, after a SIGTERM too.

    What is left of it when this process is killed is removed by the next build.
    """
    from udock_lab.linux.unwinding import Unwinding

    with Unwinding(), _folder_aside(home, name) as partial:
        yield partial


@contextmanager
def _folder_aside(home: Home, name: str) -> Iterator[str]:
    partial = f"{home.images_dir}/.{name}.{os.getpid()}.{os.urandom(4).hex()}{_PARTIAL}"
    try:
        os.mkdir(partial, 0o755)
        adopt(partial)
        fd = os.open(partial, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(error, home.path) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield partial
    finally:
        # After a success this is the replaced image. Whatever resists is taken by the next build.
        with suppress(MdockError):
            remove_tree(partial)
        os.close(fd)


def _publish(home: Home, name: str, partial: str, line: bytes) -> bool:
    """Swap the new folder in, then record it; swap back if it cannot be recorded. The lock is held.

    True when ``partial`` holds an older image now.
    """
    final = f"{home.images_dir}/{name}"
    replaced = os.path.lexists(final)
    _swap(partial, final, replaced)
    try:
        record_image(home, name, line)
    except BaseException:
        if replaced:
            _swap(partial, final, replaced)
        else:
            os.rename(final, partial)
        raise
    return replaced


def _swap(partial: str, final: str, replaced: bool) -> None:
    """Put ``partial`` in the place of ``final``, and what was there in the place of ``partial``."""
    if not replaced:
        os.rename(partial, final)
        return
    try:
        _exchange(partial, final)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS):  # not every file system can exchange
            raise
        old = f"{partial[: -len(_PARTIAL)]}-old{_PARTIAL}"
        os.rename(final, old)
        os.rename(partial, final)
        os.rename(old, partial)


def _exchange(one: str, other: str) -> None:
    """Swap two paths in one step, so that at no instant one of them is missing (renameat2(2))."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    here = ctypes.c_int(-100)  # AT_FDCWD
    if libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), ctypes.c_uint(_RENAME_EXCHANGE)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), one, None, other)


def _remove_stale(home: Home) -> None:
    """Remove what builders left that died. A living one holds a lock on its folder (flock(2))."""
    try:
        names = [name for name in os.listdir(home.images_dir) if name.startswith(".") and name.endswith(_PARTIAL)]
    except OSError as error:
        raise storage_error(error, home.path) from error
    for name in names:
        pid = name[: -len(_PARTIAL)].rpartition(".")[0].rpartition(".")[2]
        path = f"{home.images_dir}/{name}"
        if pid.isdigit() and state(int(pid)) and _is_young(path):
            continue  # its builder is about to lock it; later the pid may be anybody's
        # Another user's leftover, or one that somebody else is removing just now, is not ours to worry about.
        with suppress(OSError, MdockError):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(path)
            finally:
                os.close(fd)


def _is_young(path: str) -> bool:
    """Return whether it was made within the last minute."""
    try:
        return time.time() - os.lstat(path).st_ctime < 60
    except OSError:
        return False


# -- removing ------------------------------------------------------------------------------------------


def remove_image(home: Home, name: str, used_by: Sequence[str] = ()) -> None:
    """Remove the record, then the files if they lie in the home's own ``images/<name>``.

    Call it with the home's lock held, so that ``used_by``, the ids of the containers whose records name the
    image, is still true. Raises NotFound, Conflict (used, or something is mounted inside), StorageError.
    """
    trash = retire_image(home, name, used_by)
    if trash:
        remove_tree(trash)


def retire_image(home: Home, name: str, used_by: Sequence[str] = ()) -> str | None:
    """Remove the record and move the files aside; their new path, or None where they are not the home's.

    As :func:`remove_image`, but quick: the lock need not be held while the files are removed.
    """
    folder = f"{home.images_dir}/{name}"
    image = lookup(home.images_db, name)
    if image is None:
        raise no_such_image(home.images_db, name, to_use=False)
    if used_by:
        raise _in_use(name, used_by)
    ours = _same_place(image.rootfs, f"{folder}/rootfs") and os.path.lexists(folder)
    if ours:
        refuse_mounts(folder)
    try:
        drop_image(home, name)
    except OSError as error:
        if not ours or error.errno not in DISK_FULL:
            raise
        remove_tree(_move_aside(home, name))  # it goes anyway, and makes the room that the new table needs
        drop_image(home, name)
        return None
    return _move_aside(home, name) if ours else None


def _move_aside(home: Home, name: str) -> str:
    """Move a folder out of the way of a build of the same name."""
    trash = f"{home.images_dir}/.{name}.{os.getpid()}.{os.urandom(4).hex()}{_PARTIAL}"
    os.rename(f"{home.images_dir}/{name}", trash)
    return trash


def _in_use(name: str, ids: Sequence[str]) -> Conflict:
    some = ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
    noun = "container" if len(ids) == 1 else "containers"
    return Conflict(
        f"Image '{name}' is used by {noun} {some}.",
        f"Remove them first: mdock rm {' '.join(ids[:10])}   (-f kills what still runs; every ended one: mdock prune)",
    )


def _same_place(one: str, other: str) -> bool:
    """Return whether both are the same folder by name, however the home is reached.

    The last two names themselves are not followed.
    """

    def settle(path: str) -> tuple[str, str]:
        head, rootfs = os.path.split(os.path.normpath(path))
        head, name = os.path.split(head)
        return os.path.realpath(head), f"{name}/{rootfs}"

    return os.path.isabs(one) and settle(one) == settle(other)
