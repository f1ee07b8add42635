"""What a notebook was when it was handed out: its given cells, and what its check cells are worth.

A submission may have lost cells or changed them. What it is graded by comes from here, never from the submission.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from udock_lab.errors import NotFound, UsageError
from udock_lab.grading.cellfacts import cells_of, nbgrader_facts, text_of
from udock_lab.grading.sources import exercise, hidden_folder, slugs

if TYPE_CHECKING:
    from udock_lab.grading.cellfacts import Cell

__all__ = [
    "MOST_BYTES",
    "CheckCell",
    "Handout",
    "handout_in",
    "handout_of_exercise",
    "read_cells",
    "read_notebook",
]

MOST_BYTES = 20 << 20  # of one notebook; what is larger was not written by hand


@dataclass(frozen=True, slots=True)
class CheckCell:
    """A cell that gives points. Its ``grade_id`` is ``<slug>_check`` or ``<slug>_hidden``."""

    grade_id: str
    points: float

    @property
    def hidden(self) -> bool:
        """Judged when handed in only, by the lecturer's half."""
        return self.grade_id.endswith("_hidden")

    @property
    def slug(self) -> str:
        """The exercise that it checks."""
        return self.grade_id.removesuffix("_hidden").removesuffix("_check")


@dataclass(frozen=True, slots=True)
class Handout:
    """``given``: code cells that learners do not write (id to text); ``solutions``: ids of those that they do."""

    checks: tuple[CheckCell, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    solutions: frozenset[str] = frozenset()

    @classmethod
    def of_cells(cls, cells: Sequence[Cell], near: Path | None = None) -> Handout:
        """Read it from the cells of the lecturer's own notebook (source or release); ``near``: the course folder."""
        checks: list[CheckCell] = []
        given: dict[str, str] = {}
        solutions: set[str] = set()
        for cell in cells:
            facts = nbgrader_facts(cell)
            grade_id = str(facts.get("grade_id", ""))
            if not grade_id or cell.get("cell_type") != "code":
                continue
            if facts.get("solution"):
                solutions.add(grade_id)
            elif facts.get("grade"):
                checks.append(CheckCell(grade_id, float(facts.get("points", 0))))
            else:
                given[grade_id] = text_of(cell)
        known = slugs(near)
        return cls(tuple(check for check in checks if check.slug in known), given, frozenset(solutions))


def handout_of_exercise(slug: str, near: Path | None = None) -> Handout:
    """Make it where no notebook of the lecturer's is at hand.

    The points are those that the requirements say; there is no hidden half.
    """
    return Handout((CheckCell(f"{slug}_check", sum(one.points for one in exercise(slug, near).requirements)),))


def handout_in(course: Path | None, slug: str, near: Path | None = None) -> Handout:
    """Read it from the course's source, whatever the assignment's name; hidden cells count if they can be judged here.

    Without a course folder it is made from the requirements, of the exercise that is found from ``near``.
    """
    found = sorted(course.glob(f"source/*/{slug}.ipynb")) if course else []
    if not found or course is None:
        return handout_of_exercise(slug, course or near)
    handout = Handout.of_cells(read_cells(found[0]), course)
    if hidden_folder(slug, course / "instructor", course) is not None:
        return handout
    return Handout(tuple(c for c in handout.checks if not c.hidden), handout.given, handout.solutions)


def read_cells(path: Path) -> list[Cell]:
    """Return the cells of a notebook file.

    Raises NotFound where there is none, UsageError with what is wrong with it.
    """
    return cells_of(read_notebook(path), path.name)


def read_notebook(path: Path) -> bytes:
    """Return the bytes of a notebook file.

    Raises NotFound; UsageError for what is no file, or too large for one of a person. Neither a pipe that nobody writes
    to nor a device without an end is waited for.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            facts = os.fstat(fd)
            if not stat.S_ISREG(facts.st_mode):
                raise UsageError(f"{path.name} is no ordinary file.", "Ask for it again.")
            if facts.st_size > MOST_BYTES:
                raise UsageError(f"{path.name} has {facts.st_size >> 20} MB.", "A notebook of this course has under 1.")
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        raise NotFound(f"There is no {path}.") from None
    except OSError as error:
        raise UsageError(
            f"{path.name} cannot be read: {error.strerror}.", "Check what it is and who owns it."
        ) from None
