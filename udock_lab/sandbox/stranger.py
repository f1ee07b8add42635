"""Where the machine refuses walls: code that is not trusted runs as nobody's user, and Landlock stands before files.

A container's root may not make namespaces and may still become somebody else. An ordinary user cannot, but may give up
rights: then nothing is read but the system's programs and this Python, and nothing is written but the scratch folder.
Each as far as the machine permits it, and what is missing is said.
"""

from __future__ import annotations

import fcntl
import os
import sys
from contextlib import suppress
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)

from udock_lab.linux import landlock
from udock_lab.linux.identity import become
from udock_lab.sandbox.shut import DEVICES, system_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["enter", "missing_walls"]

CAP_SYS_CHROOT = 18  # alone, for nobody's user: it leads to no file that this user may not open
OUT_OF_THE_WAY = 210  # descriptors from here on, where learners close none by accident
# Beside programs and libraries: what names users, hosts and time zones, and processes.
_READABLE = ("/proc", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/localtime")


def enter(uid: int, scratch: str, package: str, path: Sequence[str]) -> tuple[bool, bool, str]:
    """From the runner, as the last thing before the learner's code: become ``uid`` unless that is 0, keep to files.

    ``package`` holds udock_lab; what else is imported later comes from the libraries on ``path``. Returns whether
    files are out of reach, whether signals are held as well, and a folder of this Python that only root may enter, if
    there is one. Raises OSError where root may not become that user.
    """
    folders = system_folders(package, path)
    held = _hold_open(folders) if uid else {}
    kept_to = signals_held = False
    with suppress(OSError):
        devices = [f"/dev/{name}" for name in DEVICES]
        signals_held = landlock.keep_to(reading=[*folders, *_READABLE], devices=devices, writing=[scratch])
        kept_to = True
    if uid:
        become(uid, [CAP_SYS_CHROOT])
    return kept_to, signals_held, _import_through(held)


def _hold_open(folders: Sequence[str]) -> dict[str, int]:
    """Folder to descriptor, taken while we may still walk there."""
    held = {}
    for folder in filter(os.path.exists, folders):
        low = os.open(folder, os.O_PATH | os.O_CLOEXEC)
        held[folder] = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY)
        os.close(low)
    return held


def _import_through(held: dict[str, int]) -> str:
    """Where a folder lies behind one that is closed to us, imports go through its descriptor; others are closed.

    As in a Python that root installed in its own home. Its program can then not be executed, only imported from.
    Returns one that is closed, or nothing.
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
    """The name that works, of a file that is called ``path``."""
    for folder, door in _doors.items():
        if path == folder or path.startswith(f"{folder}/"):
            return door + path[len(folder) :]
    return path


def _called(path: str) -> str:
    """The other way round."""
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
    """A path hook (PEP 302); a package found through a door has its name. ImportError for any other folder."""
    if _through(path) == _called(path):
        raise ImportError(path)
    return FileFinder(_through(path), *_LOADERS)


def missing_walls(why: str, uid: int, kept_to: bool, closed: str) -> list[str]:
    """What was wanted, is not there, and what code can therefore do; ``why`` is the refusal of the whole."""
    words = [f"own {'' if uid else 'user, '}processes, mounts and network ({why})"]
    if uid and not kept_to:
        words.append("files kept out of sight (no Landlock): it could read what everybody here may read")
        words[-1] += f", and what lies beside {closed}" if closed else ""
        words[-1] += ", and write where everybody may write"
    elif not kept_to:
        words.append("files kept out of reach (no Landlock): it could read and change all that you can")
    elif not uid:
        words.append("owners, modes and times of your files (Landlock protects what is in them)")
    return words
