"""The files that a container has for itself alone: how they are made, kept and removed with it."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from udock_lab.errors import MdockError
from udock_lab.linux.ownership import adopt
from udock_lab.linux.process import state
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.extras import load_extra, load_spec, save_extra
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.runtime.state.living import is_held, lock_file

__all__ = ["discard", "discard_strays", "keep_replaced", "making_private_folder"]

_LOCK = "lock"  # beside the files of a private copy
_EXEC = re.compile(r"exec-[0-9]+\.json")
_STRAY = re.compile(r"(copy|kept)-([0-9]+)-")


def discard(home: Home, ids: Sequence[str]) -> dict[str, MdockError]:
    """Remove these containers altogether: their files, then their records. Lock held.

    What resists keeps its record, and so can be removed once the reason is; returns the reasons by id. Files go
    first also because a full disk needs their room for the new table.
    """
    private = {container_id: load_spec(home, container_id).asked.private for container_id in ids}
    refused: dict[str, MdockError] = {}
    for container_id in ids:
        try:
            _remove_files(home, container_id, private[container_id])
        except OSError as error:
            refused[container_id] = storage_error(error, home.path)
        except MdockError as error:
            refused[container_id] = error
    containers.remove(home, set(ids) - set(refused))
    if any(folder is not None and _is_inside_run(home, folder, "kept-") for folder in private.values()):
        discard_strays(home)
    return refused


def _remove_files(home: Home, container_id: str, private: str | None) -> None:
    """Remove the files, the spec last: as long as it is there, all the rest can still be found."""
    if private is not None and _is_inside_run(home, private, "copy-"):
        from udock_lab.runtime.state.removal import remove_tree

        remove_tree(private)
    folder = home.container_dir(container_id)
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if _EXEC.fullmatch(name):  # one that could not be ended has been told of
                os.unlink(f"{folder}/{name}")
    for path in (home.container_log(container_id), f"{folder}/steps.json", f"{folder}/spec.json"):
        with suppress(FileNotFoundError):
            os.unlink(path)
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):  # with files that are not mdock's
            raise


@contextmanager
def making_private_folder(home: Home) -> Iterator[str]:
    """Make a new folder for the files of ``run --copy``, ours until a record names it.

    A lock inside tells that its maker lives (flock(2)); where there are no locks, the pid in its name does.
    """
    folder = f"{home.run_dir}/copy-{os.getpid()}-{os.urandom(6).hex()}"
    try:
        os.mkdir(folder)
        adopt(folder)
        fd = os.open(f"{folder}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        with suppress(OSError):
            os.rmdir(folder)
        raise storage_error(error, home.path) from error
    try:
        try:
            lock_file(fd)
        except OSError:
            os.unlink(f"{folder}/{_LOCK}")
        yield folder
    finally:
        os.close(fd)


def keep_replaced(home: Home, ids: Sequence[str], folder: str) -> None:
    """Keep ``folder``, an image that was replaced, for the containers that run in it. Lock held.

    When the last of them is removed, or pruned, it goes too.
    """
    if not ids:
        return
    kept = f"{home.run_dir}/kept-{os.getpid()}-{os.urandom(6).hex()}"
    os.rename(folder, kept)
    for container_id in ids:
        spec = load_extra(home, container_id, "spec")
        save_extra(home, container_id, "spec", spec | {"rootfs": f"{kept}/rootfs", "private": kept})


def discard_strays(home: Home) -> None:
    """Remove replaced images and private copies that no record mentions. Lock held.

    A copy whose maker lives may be on its way to its record.
    """

    def is_being_made(name: str, kind: str, pid: str) -> bool:
        lock = f"{home.run_dir}/{name}/{_LOCK}"
        return kind == "copy" and (is_held(lock) if os.path.exists(lock) else state(int(pid)) is not None)

    found = [(name, _STRAY.match(name)) for name in os.listdir(home.run_dir)]
    strays = [f"{home.run_dir}/{name}" for name, match in found if match and not is_being_made(name, *match.groups())]
    if not strays:
        return
    from udock_lab.runtime.state.removal import remove_tree

    kept = {load_spec(home, record.id).asked.private for record in containers.read_all(home)[0]}
    for folder in strays:
        if folder not in kept:
            with suppress(MdockError):  # nobody's any more: whoever prunes next tries again
                remove_tree(folder)


def _is_inside_run(home: Home, folder: str, kind: str) -> bool:
    """Return whether a path is one that mdock made: only such is ever removed, whatever a spec says."""
    above, name = os.path.split(os.path.normpath(folder))
    return above == home.run_dir and name.startswith(kind)
