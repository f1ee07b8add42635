"""Remove whole trees of files.

The walk has a directory file descriptor (openat(2) and its family), holds two of them at a time and climbs back through
``..``: neither a tree deeper than PATH_MAX, nor one deeper than Python's recursion limit, nor one deeper than
RLIMIT_NOFILE stops it, and a symlink is never followed.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress

from udock_lab.errors import Conflict, StorageError

__all__ = ["refuse_mounts", "remove_tree", "while_there"]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove_tree(path: str | os.PathLike[str]) -> None:
    """Remove ``path`` and all below it; a missing one is fine, a symlink is removed and not followed.

    So is what somebody else removes meanwhile. Directories that are not writable are made so first. Raises Conflict
    when something is mounted inside (a removal would empty what is mounted) and StorageError when an entry cannot
    be removed.
    """
    top = os.path.abspath(os.fspath(path))
    refuse_mounts(top)
    try:
        if not stat.S_ISDIR(os.lstat(top).st_mode):
            os.unlink(top)
            return
        _empty(top)
        os.rmdir(top)
    except FileNotFoundError:
        return
    except OSError as error:
        name, where = os.path.basename(error.filename or top), shlex.quote(top)
        look = f"find {where} -name {shlex.quote(name)} -ls -exec lsattr -d {{}} +"
        raise StorageError(
            f"{error.filename or top} cannot be removed: {error.strerror}.",
            f"Look at it: {look}   Was it made with sudo? Then: sudo chown -R $(id -u) {where}",
        ) from error


def _empty(top: str) -> None:
    """Remove all that is in ``top``, walking with one descriptor and climbing back through ``..``."""
    here = _open_to_empty(top, None)
    todo: list[list[str]] = [_unlink_files(here)]
    names: list[str] = []
    try:
        while True:
            if todo[-1]:
                name = todo[-1].pop()
                try:
                    inner = _open_to_empty(name, here)
                except FileNotFoundError:
                    continue
                os.close(here)
                here = inner
                names.append(name)
                todo.append(_unlink_files(here))
            elif names:
                todo.pop()
                parent = os.open("..", _DIRECTORY, dir_fd=here)
                os.close(here)
                here = parent
                with suppress(FileNotFoundError):
                    os.rmdir(names.pop(), dir_fd=here)
            else:
                return
    finally:
        os.close(here)


def _open_to_empty(name: str, parent: int | None) -> int:
    """Open a directory that is to be emptied, taking the permission first where it is ours to take."""
    info = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if info.st_mode & 0o700 != 0o700 and stat.S_ISDIR(info.st_mode):
        with suppress(PermissionError):  # not the owner: if it matters, unlink will say so
            os.chmod(name, 0o700, dir_fd=parent)
    return os.open(name, _DIRECTORY, dir_fd=parent)


def _unlink_files(fd: int) -> list[str]:
    """Unlink what is no directory; return the names of the directories."""
    directories = []
    with os.scandir(fd) as entries:
        for entry in while_there(entries):
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            else:
                with suppress(FileNotFoundError):
                    os.unlink(entry.name, dir_fd=fd)
    return directories


def refuse_mounts(path: str) -> None:
    """Raise Conflict when something is mounted at or below ``path`` (/proc/self/mountinfo, proc(5))."""
    real = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split()[4] for line in file]
    except OSError:  # without /proc nobody can tell
        return
    for raw in points:
        for code, character in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
            raw = raw.replace(code, character)
        point = os.fsdecode(raw)
        if point == real or point.startswith(real + "/"):
            raise Conflict(f"Something is mounted on {point}: it would be emptied too.", f"First: umount {point}")


def while_there(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    """Yield the entries of a directory; no more of them once it was removed itself (getdents(2): ENOENT)."""
    with suppress(FileNotFoundError):
        while (entry := next(entries, None)) is not None:
            yield entry
