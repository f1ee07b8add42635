"""Imports through descriptors: a Python that lies where the code's user may not walk, in root's own home perhaps.

Its folders are opened while they can be reached; imports then go through ``/proc/self/fd``. Its program cannot be
executed, only imported from.
"""

from __future__ import annotations

import fcntl
import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["hold_open", "import_through"]

OUT_OF_THE_WAY = 210  # descriptors from here on, where learners close none by accident


def hold_open(folders: Iterable[str]) -> dict[str, int]:
    """Open each folder while we may still walk there; return its descriptor by its name."""
    held = {}
    for folder in filter(os.path.exists, folders):
        low = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        held[folder] = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)
        os.close(low)
    return held


def import_through(held: dict[str, int]) -> str:
    """Import through the descriptor where a folder lies behind one that is closed to us; close the others.

    Returns a folder that is closed, or nothing.
    """
    for folder, fd in held.items():
        if os.access(folder, os.R_OK):
            os.close(fd)
        else:
            _doors[folder] = f"/proc/self/fd/{fd}"
    if _doors:
        sys.path_hooks.insert(0, _find)
        sys.path_importer_cache.clear()
    return min(_doors, default="")


_doors: dict[str, str] = {}  # a folder that is closed to us, and the name by which we may still go in


def _through(path: str) -> str:
    """Return the name that works, of a file that is called ``path``."""
    for folder, door in _doors.items():
        if path == folder or path.startswith(f"{folder}/"):
            return door + path[len(folder) :]
    return path


def _called(path: str) -> str:
    """Return what the file is called whose name that works is ``path``."""
    for folder, door in _doors.items():
        if path.startswith(f"{door}/"):
            return folder + path[len(door) :]
    return path


class _Loader(SourceFileLoader):
    """Reads through a door; the code is called by the name that its file has for root, as everywhere else."""

    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(fullname, _called(path))

    def get_data(self, path: str) -> bytes:
        return super().get_data(_through(path))

    def path_stats(self, path: str) -> Any:
        return super().path_stats(_through(path))


_LOADERS = (
    (ExtensionFileLoader, EXTENSION_SUFFIXES),
    (_Loader, SOURCE_SUFFIXES),
    (SourcelessFileLoader, BYTECODE_SUFFIXES),
)


def _find(path: str) -> FileFinder:
    """Be a path hook (PEP 302): a package found through a door has its name. ImportError for any other folder."""
    if _through(path) == _called(path):
        raise ImportError(path)
    return FileFinder(_through(path), *_LOADERS)
