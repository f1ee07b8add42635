"""What is kept of one submission in a file, and the little of it that a whole class keeps in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from sys import intern
from typing import NamedTuple

from udock_lab.display.pages.classroom import Failed, Handed
from udock_lab.display.text.checks import points
from udock_lab.grading.graded import GradedCell
from udock_lab.grading.submissions import Sent
from udock_lab.model import CheckReport
from udock_lab.model.jsontext import from_json
from udock_lab.model.plain import read_stored
from udock_lab.model.value import Value, field

__all__ = [
    "SCHEMA",
    "MarkedCell",
    "Marks",
    "Result",
    "marks_of",
    "marks_place",
    "read_marks",
    "reports_of",
    "result_of",
    "shared",
]

SCHEMA = 1  # of what is kept
_LONGEST = 300  # characters of what was seen, in a list


class MarkedCell(Value):
    """One check cell of a submission.

    ``report`` is for the learner. ``reasons``, of a hidden cell, is for the lecturer: the same with what was tried.
    """

    grade_id: str
    hidden: bool
    points: float
    out_of: float
    report: CheckReport
    reasons: CheckReport | None = None


class Marks(Value):
    """What is kept of one submission.

    ``made_from``: the hashes of what was judged and of what judged it. ``error`` says why there are no points.
    """

    learner: str
    exercise: str
    notebook: str
    points: float = 0.0
    out_of: float = 0.0
    not_judged_here: float = 0.0
    finished: bool = False
    cells: tuple[MarkedCell, ...] = ()
    made_from: dict[str, str] = field(factory=dict)
    error: str = ""


class Result(NamedTuple):
    """What became of one submission, in some hundred bytes: of a hundred thousand all are in memory at once.

    ``changed``: when the notebook was (seconds since the epoch). ``kept`` says that it was judged in an earlier run.
    ``when``, ``serial``, ``late``, ``label``, ``participant``, ``group``: what a platform says of it (Sent).
    """

    handed: Handed
    notebook: str
    hidden_points: float
    changed: float = 0.0
    kept: bool = False
    when: float = 0.0
    serial: int = 0
    late: bool | None = None
    label: str = ""
    participant: str = ""
    group: str = ""

    @property
    def learner(self) -> str:
        """Whose it is."""
        return self.handed.learner

    @property
    def name(self) -> str:
        """What its file is called."""
        return self.handed.name

    def __str__(self) -> str:
        handed = self.handed
        return f"{handed.learner}  {handed.called}  {handed.why or handed.score}"


def marks_of(sent: Sent, slug: str, graded: Sequence[GradedCell], made_from: dict[str, str]) -> Marks:
    """Return what is kept of a notebook that was judged."""
    cells = tuple(
        MarkedCell(
            grade_id=one.check.grade_id,
            hidden=one.check.hidden,
            points=one.points,
            out_of=one.check.points,
            report=one.report,
            reasons=one.reasons,
        )
        for one in graded
    )
    return Marks(
        learner=sent.learner,
        exercise=slug,
        notebook=sent.notebook,
        points=sum((one.points for one in graded), 0.0),
        out_of=sum((one.check.points for one in graded), 0.0),
        not_judged_here=sum((one.not_judged_here for one in graded), 0.0),
        finished=all(one.report.finished for one in graded),
        cells=cells,
        made_from=made_from,
    )


def reports_of(marks: Marks) -> list[CheckReport]:
    """Return the report of each check cell."""
    return [cell.report for cell in marks.cells]


def marks_place(out: Path, one: Sent | Result) -> Path:
    """Return the file in which the marks of a submission are kept."""
    return out / one.learner / f"{one.name}.json"


def read_marks(path: Path) -> Marks | None:
    """Read what an earlier run kept, of this version or an older one; None where it is to be judged again."""
    try:
        return read_stored(Marks, from_json(path.read_bytes()), SCHEMA)
    except (OSError, ValueError):
        return None


def shared(result: Result) -> Result:
    """Return a result that came from another process, with the texts that many share in memory once."""
    handed = result.handed
    failures = tuple(Failed(intern(one.requirement), intern(one.looks_like), one.hidden) for one in handed.failures)
    return result._replace(handed=handed._replace(exercise=intern(handed.exercise), failures=failures))


def result_of(sent: Sent, marks: Marks, *, kept: bool = False) -> Result:
    """Sum up what is kept. Texts that many submissions share are in memory once."""
    failed = tuple(
        Failed(intern(judgement.requirement.name), intern(judgement.looks_like), cell.hidden)
        for cell in marks.cells
        for judgement in (cell.reasons or cell.report).judgements
        if judgement.passed is False
    )
    handed = Handed(
        learner=sent.learner,
        exercise=intern(marks.exercise),
        name=sent.name,
        points=marks.points,
        out_of=marks.out_of,
        lost=marks.not_judged_here,
        why=marks.error.partition("\n")[0],
        trouble=_trouble(marks),
        failures=failed,
    )
    hidden = sum((cell.points for cell in marks.cells if cell.hidden), 0.0)
    try:
        changed = sent.path.stat().st_mtime
    except OSError:
        changed = 0.0
    told = (sent.when, sent.serial, sent.late, sent.label, sent.participant, intern(sent.group))
    return Result(handed, sent.notebook, hidden, changed, kept, *told)


def _trouble(marks: Marks) -> str:
    """Return why somebody should look at it, in a sentence; "" where nobody need."""
    if marks.error:
        return f"not judged: {marks.error.partition(chr(10))[0]}"
    if marks.not_judged_here:
        lost = marks.not_judged_here
        return f"{points(lost)} point{'s' * (lost != 1)} could not be judged on this machine; the report says why"
    if marks.points:
        return ""
    failed = [one for report in reports_of(marks) for one in report.judgements if one.passed is False]
    causes = [f"this looks like: {one.looks_like}" if one.looks_like else one.seen for one in failed]
    notes = [note.partition("\n")[0] for report in reports_of(marks) for note in report.notes]
    return f"no points; {next(iter([*causes, *notes]), 'the report says why')[:_LONGEST]}"
