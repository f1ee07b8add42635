"""The course's files, and how they come into a learner's folder without writing over the learner's work.

A small list of hashes, ``.udock-lab.json``, tells what the learner has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from udock_lab.linux.wholefile import write_whole
from udock_lab.work.folder import MANIFEST, change_manifest, content_of, handed_out, hash_of

__all__ = [
    "MANIFEST",
    "Laid",
    "course_files",
    "course_folders",
    "files_below",
    "lay_files",
    "lay_out",
    "without_outputs",
]

_PACKAGE = Path(__file__).resolve().parents[1]
_NEVER = (".*", "__pycache__")


# --- what the course consists of


def course_folders() -> list[tuple[Path, str]]:
    """Return (folder, where it goes below the learner's).

    From the wheel, or from the sources that the package is in.
    """
    carried = _PACKAGE / "course_files"
    if carried.is_dir():
        return [(carried / "notebooks", ""), (carried / "exercises", "exercises")]
    return [(_PACKAGE.parent / "notebooks", ""), (_PACKAGE.parent / "exercises" / "release", "exercises")]


def course_files() -> Iterator[tuple[str, bytes]]:
    """Return (path below the learner's folder, content) of every file of the course; lessons without their outputs."""
    for folder, below in course_folders():
        for name, data in files_below(folder, ("__*",)):
            yield str(Path(below, name)), without_outputs(data) if name.endswith(".ipynb") else data


def files_below(folder: Path, left_out: Sequence[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Return (path below a folder, content) of what is no cache, hidden by its name, or called as a pattern says."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and not any(fnmatchcase(part, one) for part in inside.parts for one in (*_NEVER, *left_out)):
            yield str(inside), path.read_bytes()


def without_outputs(notebook: bytes) -> bytes:
    """Return a notebook (JSON) whose cells have not been run, so that it gives no answer away."""
    content: dict[str, Any] = json.loads(notebook)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n"


# --- laying it into the learner's folder


class Laid(NamedTuple):
    """What ``start`` did, each a list of paths below the folder. ``beside``: (the learner's, our newer one)."""

    added: list[str]
    updated: list[str]
    kept: list[str]
    beside: list[tuple[str, str]]

    def __str__(self) -> str:
        done = ((self.added, "added"), (self.updated, "updated"))
        did = [f"{len(files)} file{'s' * (len(files) > 1)} {word}" for files, word in done if files]
        kept = len(self.kept) + len(self.beside)
        if kept:
            did.append(f"{kept} of yours kept as {'it is' if kept == 1 else 'they are'}")
        said = ", ".join(did) or "everything was there"
        if self.beside:
            pairs = ", ".join(f"{new} beside your {yours}" for yours, new in self.beside)
            said += f"; there is a newer version: {pairs}"
        return said


def lay_out(target: Path) -> Laid:
    """Bring the course's files into ``target``, made if it is missing. Files that the learner changed stay untouched.

    OSError where that folder cannot be written to.
    """
    return lay_files(target, course_files(), _write_beside)


def lay_files(
    target: Path,
    files: Iterable[tuple[str, bytes]],
    apart: Callable[[Path, str, bytes], str],
    manifest: str = MANIFEST,
) -> Laid:
    """Do the same with (path, content) of any; ``apart(target, path, content)`` writes what must not go to its place.

    It returns where it wrote. ``manifest``: the list of hashes.
    """
    target.mkdir(parents=True, exist_ok=True)
    known, laid = handed_out(target, manifest), Laid([], [], [], [])
    for name, data in files:
        _lay_one(target, name, data, known, laid, apart)
        known[name] = hash_of(data)
    change_manifest(target, manifest, files=known)
    return laid


def _lay_one(
    target: Path,
    name: str,
    data: bytes,
    known: dict[str, str],
    laid: Laid,
    apart: Callable[[Path, str, bytes], str],
) -> None:
    there = content_of(target / name)
    if there is None:
        write_whole(target / name, data)
        laid.added.append(name)
    elif there == data:
        pass
    elif hash_of(there) == known.get(name):
        write_whole(target / name, data)
        laid.updated.append(name)
    elif known.get(name) == hash_of(data):  # the learner's work on the version that we have, too
        laid.kept.append(name)
    else:
        laid.beside.append((name, apart(target, name, data)))


def _write_beside(target: Path, name: str, data: bytes) -> str:
    """Write ``lesson.ipynb`` as ``lesson.new.ipynb``, or the first ``lesson.newN.ipynb`` that is free; return it."""
    stem, dot, suffix = name.rpartition(".")
    number = 1
    while True:
        other = f"{stem}{dot}new{number if number > 1 else ''}.{suffix}"
        there = content_of(target / other)
        if there is None:
            write_whole(target / other, data)
        if there in (None, data):
            return other
        number += 1
