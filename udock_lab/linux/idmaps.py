"""Which ids of a user namespace are which outside: three files in /proc, written here only (user_namespaces(7)).

A map is lines of "inside outside count" and is written once: by a process with the privilege to do so outside, or by
any other as one line about its own id, and then only after setgroups was denied.
"""

from __future__ import annotations

import os

__all__ = ["FILES", "GID_MAP", "SETGROUPS", "UID_MAP", "identity", "is_mapped", "path_of", "write"]

FILES = SETGROUPS, UID_MAP, GID_MAP = "setgroups", "uid_map", "gid_map"  # in the order in which they are written


def path_of(name: str, pid: int | None = None) -> str:
    """Return the path of the file of that name, of a process or of the caller."""
    return f"/proc/{'self' if pid is None else pid}/{name}"


def write(name: str, text: str, pid: int | None = None) -> None:
    """Write one of the three, of a process or of the caller. Raises OSError with the path."""
    path = path_of(name, pid)
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(fd)


def identity(name: str) -> str:
    """Return a map of all ids that we have to themselves.

    It is our own map's left column, twice: only what is ours can be handed on.
    """
    return "\n".join(f"{inside} {inside} {count}" for inside, _, count in _extents(name))


def is_mapped(name: str, number: int) -> bool:
    """Return whether there is such an id in our own namespace."""
    return any(inside <= number < inside + count for inside, _, count in _extents(name))


def _extents(name: str) -> list[tuple[int, int, int]]:
    with open(path_of(name)) as file:
        lines = [line.split() for line in file]
    return [(int(inside), int(outside), int(count)) for inside, outside, count in lines]
