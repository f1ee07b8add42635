"""Where a path lies: the folder at which its file system is mounted."""

from __future__ import annotations

import os

__all__ = ["mount_point", "nearest_existing"]


def nearest_existing(path: str) -> str:
    """Return the path itself, or the nearest folder above it that is there, links resolved."""
    here = os.path.realpath(path)
    while not os.path.lexists(here) and here != os.path.dirname(here):
        here = os.path.dirname(here)
    return here


def mount_point(path: str) -> str:
    """Return the topmost folder above ``path`` on the same file system, mounted with the same flags (statvfs(3)).

    A path that is not there, or no more, is meant to lie where it would be made. Needs no /proc. Raises OSError.
    """
    here = nearest_existing(path)
    while here != "/" and _mounted_as(os.path.dirname(here)) == _mounted_as(here):
        here = os.path.dirname(here)
    return here


def _mounted_as(path: str) -> tuple[int, int]:
    return os.stat(path).st_dev, os.statvfs(path).f_flag
