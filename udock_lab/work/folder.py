"""The course's folder: where it is, what was handed out into it, and what in it is the learner's.

``.udock-lab.json`` in it holds the hashes of what was handed out, and of the exports that were made or taken in here::

    {"files": {"m2_1a_fork.ipynb": "5d41..."}, "taken": ["9b74..."]}
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from udock_lab.linux.wholefile import write_whole
from udock_lab.work.bounds import MOST_BYTES, MOST_FILES, MOST_IN_ONE, MOST_PACKED, mebibytes, wrong_with_name

__all__ = [
    "MANIFEST",
    "SUFFIX",
    "Found",
    "change_manifest",
    "content_of",
    "course_folder",
    "dropped",
    "handed_out",
    "hash_of",
    "regular",
    "remember",
    "work_in",
]

MANIFEST = ".udock-lab.json"
SUFFIX = ".udock"  # of an export; no .zip, which some browsers unpack
_MOST_TAKEN = 500  # exports that are remembered


def course_folder(start: Path) -> Path | None:
    """Return the course's folder that ``start`` is or lies in; None where there is none."""
    here = start.absolute()
    return next((place for place in (here, *here.parents) if (place / MANIFEST).is_file()), None)


def hash_of(data: bytes) -> str:
    """Return SHA-256, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def content_of(path: Path) -> bytes | None:
    """Return a file's bytes, None where there is nothing.

    What is no readable file counts as a learner's own, as b"" does.
    """
    if not os.path.lexists(path):
        return None
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


# --- what is remembered


def _manifest(folder: Path, name: str = MANIFEST) -> dict[str, Any]:
    try:
        found = json.loads((folder / name).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def handed_out(folder: Path, manifest: str = MANIFEST) -> dict[str, str]:
    """Return what was handed out last: path to hash.

    Empty where the list is missing or damaged: then nothing is replaced.
    """
    files = _manifest(folder, manifest).get("files")
    return {str(name): str(value) for name, value in files.items()} if isinstance(files, dict) else {}


def change_manifest(folder: Path, manifest: str = MANIFEST, **facts: Any) -> None:
    """Put facts into the list; the others stay. What is the same already is not written."""
    there = _manifest(folder, manifest)
    listed = json.dumps(there | facts, indent=1, sort_keys=True).encode() + b"\n"
    if content_of(folder / manifest) != listed:
        write_whole(folder / manifest, listed)


def _taken(folder: Path) -> list[str]:
    taken = _manifest(folder).get("taken")
    return [one for one in taken if isinstance(one, str)] if isinstance(taken, list) else []


def remember(folder: Path, digest: str) -> None:
    """Remember an export that was made or taken in here, so that nobody takes it for one that was dropped."""
    taken = _taken(folder)
    if digest not in taken:
        change_manifest(folder, taken=[*taken, digest][-_MOST_TAKEN:])


def dropped(folder: Path) -> list[Path]:
    """Return the exports that lie in the folder and were neither made nor taken in here, the oldest first."""
    taken = set(_taken(folder))
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            status = path.lstat()
            if regular(status) and (status.st_size > MOST_PACKED or hash_of(path.read_bytes()) not in taken):
                found.append((status.st_mtime, path))
        except OSError:
            continue
    return [path for _, path in sorted(found)]


def regular(status: os.stat_result) -> bool:
    """Return whether it is an ordinary file: no folder, link, pipe or device."""
    return stat.S_ISREG(status.st_mode)


# --- what is the learner's


class Found(NamedTuple):
    """Files by their path in the folder; ``left_out``: (path, why) of the learner's own that are not among them."""

    files: dict[str, bytes]
    left_out: list[tuple[str, str]]


def work_in(folder: Path) -> Found:
    """Read what the learner has changed or added. What is as it was handed out comes with the course anyway."""
    known, found, total = handed_out(folder), Found({}, []), 0
    for name, path in _own_files(folder):
        data, why = _read(path)
        if not why and hash_of(data) == known.get(name):
            continue
        why = why or wrong_with_name(name)
        if not why and (total + len(data) > MOST_BYTES or len(found.files) >= MOST_FILES):
            why = f"an export holds {MOST_FILES} files and {mebibytes(MOST_BYTES)} at most"
        if why:
            found.left_out.append((name, why))
        else:
            found.files[name] = data
            total += len(data)
    return found


def _read(path: Path) -> tuple[bytes, str]:
    """Return a file's bytes, and why there are none."""
    try:
        status = path.lstat()
        if not regular(status):
            return b"", "it is a link, a pipe or a device"
        if status.st_size > MOST_IN_ONE:
            return b"", f"it is larger than {mebibytes(MOST_IN_ONE)}"
        return path.read_bytes(), ""
    except OSError as error:
        return b"", error.strerror or "it cannot be read"


def _own_files(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(SUFFIX):
                path = Path(place, name)
                yield path.relative_to(folder).as_posix(), path
