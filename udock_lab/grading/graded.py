"""Grade one submitted notebook: every check cell judged from the solution's source, in the sandbox."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from udock_lab.display.html.checks import check_html
from udock_lab.display.text.checks import check_text
from udock_lab.grading.checking import judge
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.handedin import solution_in
from udock_lab.grading.handout import CheckCell, Handout
from udock_lab.grading.hidden import without_values
from udock_lab.grading.sources import exercise, hidden_exercise
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport, Judgement
from udock_lab.model.value import replace

__all__ = ["GradedCell", "grade_notebook"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedCell:
    """One check cell: its report and points, scaled to what the cell is worth and rounded to half points.

    A requirement that this machine cannot judge counts neither way: the others share the cell's points.
    """

    check: CheckCell
    points: float
    report: CheckReport
    first: int = 1  # the number of its first requirement; a hidden half counts on
    reasons: CheckReport | None = None  # of a hidden half, with what was tried: for the lecturer alone

    @property
    def text(self) -> str:
        """The report as a terminal shows it."""
        return check_text(self.report)

    @property
    def html(self) -> str:
        """The same as a card."""
        return check_html(self.report, first=self.first)

    @property
    def not_judged_here(self) -> float:
        """What of the cell this machine could not judge, in points."""
        out_of = self.report.out_of
        return self.check.points * self.report.refused / out_of if out_of else 0.0


def _nothing_done(half: Exercise) -> CheckReport:
    waiting = "not judged until a requirement above holds"
    judgements = tuple(Judgement(requirement=one, passed=None, why=waiting) for one in half.requirements)
    return CheckReport(slug=half.slug, title=half.title, judgements=judgements)


def grade_notebook(
    notebook: bytes,
    name: str,
    handout: Handout,
    instructor: str | os.PathLike[str] | None = None,
    near: Path | None = None,
    notes: Sequence[str] = (),
    modules: Mapping[str, str] | None = None,
) -> list[GradedCell]:
    """Judge a submission for every check cell of the handout; ``near``: the course folder, ``notes``: for the reports.

    ``modules``: Python files that were handed in with it, by name (beside.py).

    UsageError for what is no notebook, or more than anybody writes; NotFound where a hidden half is not installed.
    """
    functions = [function for check in handout.checks for function in exercise(check.slug, near).functions]
    solution = solution_in(notebook, name, handout.given, handout.solutions, functions)
    left_out = Submission(solution=solution, modules=modules or {}).left_out()
    said = (*notes, *solution.notes, *left_out)
    submission = Submission(solution=solution, modules=modules or {}, notes=said)
    graded: list[GradedCell] = []
    for check in handout.checks:
        earned = any(cell.points for cell in graded if cell.check.slug == check.slug)
        first = 1 + (len(exercise(check.slug, near).requirements) if check.hidden else 0)
        graded.append(_grade(check, submission, _half(check, instructor, near), earned=earned, first=first))
    return graded


def _half(check: CheckCell, instructor: str | os.PathLike[str] | None, near: Path | None) -> Exercise:
    return hidden_exercise(check.slug, instructor, near) if check.hidden else exercise(check.slug, near)


def _said_of_unwritten(report: CheckReport) -> CheckReport:
    """Say in a note what is not written: nobody will fill it in any more, and it has no points."""
    if not report.unwritten:
        return report
    line = f"{' and '.join(report.unwritten)} {'is' if len(report.unwritten) == 1 else 'are'} not written yet."
    return replace(report, unwritten=(), notes=(line, *report.notes))


def _grade(check: CheckCell, submission: Submission, half: Exercise, *, earned: bool, first: int) -> GradedCell:
    """Grade one half; ``earned``: the half before this one brought points.

    An answer that does nothing leaves nothing open, and has earned none.
    """
    judged_half = _nothing_done(half) if check.hidden and not earned else judge(half, submission)
    whole = _said_of_unwritten(judged_half)
    report = without_values(whole) if check.hidden else whole
    reasons = whole if check.hidden and earned else None
    judged = report.out_of - report.refused
    share = report.points / judged if judged else 0.0
    return GradedCell(
        check=check, points=round(share * check.points * 2) / 2, report=report, first=first, reasons=reasons
    )
