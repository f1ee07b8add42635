"""Which lessons a class has taken, from the exports that learners hand in beside their notebooks.

``<learner>/*.udock``, or beside an assignment's notebook. What such a file says is the learner's own word: it earns
no points.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from udock_lab.errors import MdockError
from udock_lab.grading.platforms import place_of
from udock_lab.lesson.ledger import SECTIONS
from udock_lab.lesson.outline import COURSE
from udock_lab.lesson.standing import standing
from udock_lab.work.exported import read_export
from udock_lab.work.folder import SUFFIX
from udock_lab.work.merging import merged

__all__ = ["Taken", "exports_in", "lessons_taken"]


class Taken(NamedTuple):
    """How far a learner is: a state for each lesson of the course, or why that is not known."""

    learner: str
    states: list[str]
    trouble: str = ""


def exports_in(folder: Path) -> list[Path]:
    """Return the exports that count; none that is hidden, or lies behind a link."""
    found = []
    for path in (*sorted(folder.glob(f"*/*{SUFFIX}")), *sorted(folder.glob(f"*/*/*{SUFFIX}"))):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        if not hidden and not any(place.is_symlink() for place in (path, *path.parents[: len(parts) - 1])):
            found.append(path)
    return found


def lessons_taken(folders: Iterable[Path]) -> list[Taken]:
    """Return a row for each learner who handed an export in; of several, all count."""
    found: dict[str, list[Path]] = {}
    for folder in folders:
        for path in exports_in(folder):
            parts = path.relative_to(folder).parts
            place = place_of(parts)
            found.setdefault((place.learner or place.who) if place else parts[0], []).append(path)
    return [_row(learner, files) for learner, files in sorted(found.items())]


def _row(learner: str, files: list[Path]) -> Taken:
    data: dict[str, dict[str, object]] = {name: {} for name in SECTIONS}
    trouble = ""
    for file in files:
        try:
            data = merged(data, read_export(file).progress)
        except MdockError as error:
            trouble = str(error).partition(". ")[0]
    if trouble and not any(data.values()):
        return Taken(learner, [], trouble)
    return Taken(learner, [standing(lesson, data).state for lesson in COURSE])
