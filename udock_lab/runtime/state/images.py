"""Images: build, find_image_by_name, list, remove. What happens to ``images.db`` and ``images/``.

One line an image::

    image_name|rootfs_path|timestamp

An image becomes visible when its line is there, and its files are in place before that: they are copied to
``images/.<name>.<pid>.<random>.partial/`` and moved with one rename. A line that does not parse is kept.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from udock_lab.errors import Conflict, MdockError, NotFound, UsageError
from udock_lab.linux.ownership import adopt
from udock_lab.linux.process import state
from udock_lab.model import Image
from udock_lab.runtime.image.copying import CopyStats, Progress, copy_tree
from udock_lab.runtime.state.home import DISK_FULL, Home, storage_error
from udock_lab.runtime.state.removal import refuse_mounts, remove_tree
from udock_lab.runtime.state.tables import (
    Fingerprint,
    append_line,
    fingerprint,
    is_settled,
    locked,
    open_plain,
    replace_lines,
)

__all__ = [
    "CopyStats",
    "KnownImages",
    "aside",
    "build_image",
    "check_image_name",
    "copy_tree",
    "find_image_by_name",
    "format_image_line",
    "list_images",
    "parse_image_line",
    "remove_image",
    "retire_image",
]

_RULE = "A name has 1 to 64 characters: an ASCII letter, then letters, digits, '-' and '_'. For instance: demo"
_PARTIAL = ".partial"
_RENAME_EXCHANGE = 2  # renameat2(2)


# -- names and lines -----------------------------------------------------------------------------------


def check_image_name(name: str) -> str:
    """Return ``name`` if an image may be called so; UsageError with the rule and an example otherwise."""
    if not _is_name(name):
        raise UsageError(f"{_shown(name)} is not an image name.", _RULE)
    if _looks_like_id(name):
        raise UsageError(f"'{name}' looks like a container id, so no image may be called that.", _RULE)
    return name


def _is_name(name: str) -> bool:
    rest = name.replace("-", "").replace("_", "")
    return 1 <= len(name) <= 64 and name.isascii() and name[0].isalpha() and rest.isalnum()


def _looks_like_id(name: str) -> bool:
    return name[0] == "c" and name[1:].isdigit()


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 80 else f"{name[:40]!r}... ({len(name)} characters)"


def parse_image_line(line: bytes) -> Image | None:
    """Return the image on one line of images.db, or None when it is not a record.

    Blanks around a field are no part of it.
    """
    try:
        fields = [field.strip() for field in line.decode("utf-8", "surrogateescape").split("|")]
    except ValueError:
        return None
    if len(fields) != 3 or not _is_name(fields[0]) or not fields[1] or not _is_time(fields[2]):
        return None
    return Image(name=fields[0], rootfs=fields[1], created=fields[2])


def _is_time(text: str) -> bool:
    """Return whether it begins as ISO 8601 does. A line torn in its last field is no record."""
    date, clock = text[:10], text[11:19]
    return (
        text.isascii()
        and len(text) >= 19
        and text[10] in "T "
        and (date[4] + date[7] + clock[2] + clock[5]) == "--::"
        and (date[:4] + date[5:7] + date[8:] + clock[:2] + clock[3:5] + clock[6:]).isdigit()
    )


def format_image_line(image: Image) -> bytes:
    """Return the line (with its newline) that says this image; raise UsageError for a path that a line cannot hold."""
    if any(character in image.rootfs for character in "|\n\0") or image.rootfs != image.rootfs.strip():
        raise UsageError(
            f"The path {image.rootfs!r} cannot stand in images.db, where '|' and newline separate fields.",
            "Choose another home: export MDOCK_HOME=/some/folder",
        )
    return f"{image.name}|{image.rootfs}|{image.created}\n".encode("utf-8", "surrogateescape")


# -- reading -------------------------------------------------------------------------------------------


def find_image_by_name(db_path: str, name: str) -> Image:
    """Find the image called exactly ``name`` (case-sensitive; the first one counts) and see that it is there.

    Lines that do not parse are passed over. Raises NotFound, each with its own words: no database yet, no
    such image, or an image whose root file system has vanished; StorageError when the database is unreadable.
    """
    image = _lookup(db_path, name)
    if image is None:
        raise _no_such_image(db_path, name)
    return _with_its_files(image)


def _with_its_files(image: Image) -> Image:
    """Return the image; NotFound where its root file system has vanished."""
    name = image.name
    try:
        os.stat(f"{image.rootfs}/.")
    except PermissionError as error:
        raise storage_error(error, image.rootfs) from error
    except OSError:
        again = "mdock demo" if name == "demo" else f"mdock build --force {name} DIRECTORY"
        raise NotFound(
            f"Image '{name}' is recorded, but its root file system {image.rootfs} is gone.",
            f"Build it again with: {again}",
        ) from None
    return image


class KnownImages:
    """The table of images as it was read last; it is read again when its status has changed (stat(2)).

    ``corrupt``: its lines that are no record.
    """

    def __init__(self, db_path: str) -> None:
        self._path = db_path
        self._seen: Fingerprint | None = None
        self._settled = False
        self._images: dict[str, Image] = {}
        self.corrupt: list[bytes] = []

    def find(self, name: str) -> Image:
        """Find an image as :func:`find_image_by_name` does, with the same errors."""
        image = self._known().get(name)
        return find_image_by_name(self._path, name) if image is None else _with_its_files(image)

    def _known(self) -> dict[str, Image]:
        """Return the images of the table as it is now; none where that cannot be told without reading it again."""
        try:
            info = os.stat(self._path)
        except OSError:
            return {}
        now, settled = fingerprint(info), is_settled(info)
        if now != self._seen or (settled and not self._settled):
            images, self.corrupt = list_images(self._path)
            self._images = {image.name: image for image in images}
            self._seen, self._settled = now, settled
            return self._images
        return self._images if self._settled else {}


def _lookup(db_path: str, name: str) -> Image | None:
    """Return the record alone. Most lines are passed over by one search for the name's bytes."""
    key = name.encode("utf-8", "surrogatepass")
    try:
        with open(open_plain(db_path), "rb") as file:
            for line in file:
                if key in line:
                    image = parse_image_line(line)
                    if image is not None and image.name == name:
                        return image
    except FileNotFoundError:
        raise NotFound(
            "No images yet: there is no images.db.",
            "Make the image 'demo' with: mdock demo   or your own with: mdock build NAME DIRECTORY",
        ) from None
    except OSError as error:
        raise storage_error(error, os.path.dirname(db_path)) from error
    return None


def _no_such_image(db_path: str, name: str, *, to_use: bool = True) -> NotFound:
    """Name the nearest image, unless it was to be removed."""
    from udock_lab.text.nearest import nearest

    hints = []
    names = [image.name for image in list_images(db_path)[0]]
    near = nearest(name, names) or next((n for n in names if n.lower() == name.lower()), None)
    if name == "demo" and to_use:
        hints.append("Make it with: mdock demo")
    if near and to_use:
        hints.append(f"Did you mean '{near}'?")
    if name and _looks_like_id(name):
        hints.append(f"{name} is the name of a container; one more program in it: mdock exec {name} PROGRAM")
    hints.append("List images with: mdock images")
    if not names and name != "demo" and to_use:
        hints.append("Make the image 'demo' with: mdock demo")
    shown = f"'{name}'" if name.isprintable() and len(name) <= 80 else _shown(name)
    return NotFound(f"Image {shown} not found", "  ".join(hints))


def list_images(db_path: str) -> tuple[list[Image], list[bytes]]:
    """Return every image (the first of each name), and the lines that are no record, blank ones left out.

    A missing database has neither. Raises StorageError when it cannot be read.
    """
    images: dict[str, Image] = {}
    corrupt: list[bytes] = []
    try:
        with open(open_plain(db_path), "rb") as file:
            for line in file:
                image = parse_image_line(line)
                if image is not None:
                    images.setdefault(image.name, image)
                elif line.strip():
                    corrupt.append(line.rstrip(b"\n"))
    except FileNotFoundError:
        pass  # nothing was built yet
    except OSError as error:
        raise storage_error(error, os.path.dirname(db_path)) from error
    return list(images.values()), corrupt


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
        _record(home, name, line)
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


def _record(home: Home, name: str, line: bytes) -> None:
    """Put the line in the place of the first one of that name, or at the end. The lock is held."""
    if not any(image.name == name for image in list_images(home.images_db)[0]):
        append_line(home.images_db, line)
        return
    done = False

    def renew(old: bytes) -> bytes:
        nonlocal done
        image = parse_image_line(old)
        if done or image is None or image.name != name:
            return old
        done = True
        return line.rstrip(b"\n")

    replace_lines(home.images_db, renew)


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
    image = _lookup(home.images_db, name)
    if image is None:
        raise _no_such_image(home.images_db, name, to_use=False)
    if used_by:
        raise _in_use(name, used_by)
    ours = _same_place(image.rootfs, f"{folder}/rootfs") and os.path.lexists(folder)
    if ours:
        refuse_mounts(folder)
    try:
        _drop(home, name)
    except OSError as error:
        if not ours or error.errno not in DISK_FULL:
            raise
        remove_tree(_move_aside(home, name))  # it goes anyway, and makes the room that the new table needs
        _drop(home, name)
        return None
    return _move_aside(home, name) if ours else None


def _drop(home: Home, name: str) -> None:
    replace_lines(home.images_db, lambda line: None if _names(line, name) else line)


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


def _names(line: bytes, name: str) -> bool:
    image = parse_image_line(line)
    return image is not None and image.name == name


def _same_place(one: str, other: str) -> bool:
    """Return whether both are the same folder by name, however the home is reached.

    The last two names themselves are not followed.
    """

    def settle(path: str) -> tuple[str, str]:
        head, rootfs = os.path.split(os.path.normpath(path))
        head, name = os.path.split(head)
        return os.path.realpath(head), f"{name}/{rootfs}"

    return os.path.isabs(one) and settle(one) == settle(other)
