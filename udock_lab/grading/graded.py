"""Grade one submitted notebook: every check cell judged from the solution's source, in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from udock_lab.display.grading import check_html, check_text
from udock_lab.grading.checking import SLUGS, exercise, judge
from udock_lab.grading.hidden import hidden_exercise, without_values
from udock_lab.grading.notebook import CheckCell, check_cells, solution_source
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport

__all__ = ["GradedCell", "grade_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedCell:
    """One check cell: points, and the report in both forms. ``points`` are scaled to what the cell is worth."""

    index: int
    grade_id: str
    slug: str
    hidden: bool
    points: float
    out_of: float
    report: CheckReport
    text: str
    html: str


def grade_cells(cells: Sequence[Mapping[str, Any]], instructor: str | None = None) -> list[GradedCell]:
    """All check cells of a notebook. NotFound where the hidden half is asked for and not installed."""
    submission = Submission(source=solution_source(cells))
    return [_grade(cell, submission, instructor) for cell in check_cells(cells) if cell.slug in SLUGS]


def _grade(cell: CheckCell, submission: Submission, instructor: str | None) -> GradedCell:
    wanted = hidden_exercise(cell.slug, instructor) if cell.hidden else exercise(cell.slug)
    report = judge(wanted, submission)
    if cell.hidden:
        report = without_values(report)
    share = report.points / report.out_of if report.out_of else 0.0
    return GradedCell(
        index=cell.index,
        grade_id=cell.grade_id,
        slug=cell.slug,
        hidden=cell.hidden,
        points=round(share * cell.points * 2) / 2,
        out_of=cell.points,
        report=report,
        text=check_text(report),
        html=check_html(report),
    )
