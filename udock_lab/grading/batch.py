"""``udock-lab grade``: a folder of submissions judged side by side, without nbgrader's database.

::

    OUT/<learner>/<exercise>.json   one submission: points, every judgement, and what it was judged from
    OUT/<learner>/report.html       the same for the learner to read
    OUT/class.html                  the class for the lecturer to read: who needs a look, what is failed most
    OUT/grades.csv                  the same, one line a submission

A result is written when it is whole, by rename. It bears the hash of the submission and of what judged it, and the
number of its schema (0.1.0 wrote none, which is 0, with the same fields as 1). A run that was killed goes on where it
was: what has not changed is not judged again, unless a later version wrote it. Threads are enough to keep all
processors busy, since each judgement happens in processes of its own.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import os
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from udock_lab.display.pages.classroom import Handed, class_page, learner_page
from udock_lab.display.text.checks import points
from udock_lab.errors import MdockError, NotFound, UsageError
from udock_lab.grading.graded import GradedCell, grade_notebook
from udock_lab.grading.handedin import names_in
from udock_lab.grading.handout import Handout, handout_of_exercise, read_cells, read_notebook
from udock_lab.grading.sources import folder_of, hidden_folder, slugs
from udock_lab.grading.taken import Taken
from udock_lab.lesson.outline import COURSE
from udock_lab.linux.wholefile import write_whole
from udock_lab.model import CheckReport
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.plain import read_stored, stored
from udock_lab.model.value import Value, field, replace
from udock_lab.text.terminal import printable

__all__ = ["Batch", "Grade", "Marks", "Sent", "course_near", "find_submissions", "read_marks", "reports_of"]

_SCHEMA = 1  # of what is kept
_OURS = ("grades.csv", "class.html")
_LONGEST = 180  # bytes; a file name may have 255


class Sent(Value):
    """One notebook that somebody handed in; ``name`` is what its result is called.

    ``linked``: it is a symbolic link, or lies behind one; whose work that is, nobody can tell.
    """

    learner: str
    name: str
    path: Path
    linked: bool = False


class MarkedCell(Value):
    """One check cell of a submission."""

    grade_id: str
    hidden: bool
    points: float
    out_of: float
    report: CheckReport


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


class Grade(Value):
    """What became of it; ``kept`` says that it was judged in an earlier run."""

    sent: Sent
    marks: Marks
    kept: bool = False

    def __str__(self) -> str:
        marks, said = self.marks, self.marks.error.partition("\n")[0]
        earned = f"{points(marks.points)} of {points(marks.out_of)}"
        return f"{self.sent.learner}  {marks.exercise or self.sent.name}  {said or earned}"


def find_submissions(folder: Path) -> list[Sent]:
    """Find nbgrader's ``<learner>/<assignment>/*.ipynb``, and notebooks that are in the folder itself.

    Raises NotFound where there is none.
    """
    if not folder.is_dir():
        raise NotFound(
            f"There is no folder {folder}.", "Name the folder with the submissions: udock-lab grade submitted"
        )
    found = []
    for path in (*sorted(folder.glob("*.ipynb")), *sorted(folder.glob("*/*/*.ipynb"))):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):  # hidden, or a name such as ..ipynb that leads elsewhere
            continue
        learner, assignment = (parts[0], parts[1]) if len(parts) == 3 else (path.stem, path.stem)
        name = path.stem if assignment == path.stem else f"{assignment}-{path.stem}"
        linked = any(place.is_symlink() for place in (path, *path.parents[: len(parts) - 1]))
        found.append(Sent(learner=_a_file_name(learner), name=_a_file_name(name), path=path, linked=linked))
    if not found:
        raise NotFound(
            f"There is no submission in {folder}.",
            "Wanted: <learner>/<assignment>/<notebook>.ipynb, as nbgrader collects them, or *.ipynb side by side.",
        )
    return found


def _a_file_name(name: str) -> str:
    """Return a file name that is short enough for a name beside it, and is not one of ours."""
    if name in _OURS:
        return f"{name}_"
    return name if len(os.fsencode(name)) <= _LONGEST else f"{name[:40]}-{_hash(os.fsencode(name))[:12]}"


def course_near(submitted: Path) -> Path | None:
    """Return the course folder that the submissions are in, or that of a checkout; None where there is none."""
    checkout = Path(__file__).resolve().parents[2] / "exercises"
    return next((place for place in (submitted.resolve().parent, checkout) if (place / "source").is_dir()), None)


@dataclasses.dataclass
class Batch:
    """One run of ``udock-lab grade``.

    ``course`` is the lecturer's folder (source/, instructor/), or None; ``lessons`` what the class page tells of them.
    """

    out: Path
    course: Path | None = None
    again: bool = False
    lessons: Sequence[Taken] = ()
    stopping: threading.Event = dataclasses.field(default_factory=threading.Event)
    _exercises: dict[str, tuple[Handout, str]] = dataclasses.field(default_factory=dict)

    def grade(self, sent: Sequence[Sent], jobs: int, tell: Callable[[Grade], None]) -> list[Grade]:
        """Grade all of them, ``jobs`` at a time; ``tell`` hears of each.

        KeyboardInterrupt is handed on at once. What is being judged then ends with this process, whose exit is all
        that its keeper waits for.
        """
        if self.out.is_dir() and not os.access(self.out, os.W_OK):  # else that would be known after the first one only
            raise _not_written(self.out, "this account may not, or the file system is read-only")
        grades = []
        pool = ThreadPoolExecutor(jobs)
        futures = [pool.submit(self._one, one) for one in sent]
        try:
            for future in as_completed(futures):
                grades.append(future.result())
                tell(grades[-1])
        finally:
            self.stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
        grades.sort(key=lambda grade: (grade.sent.learner, grade.sent.name))
        self._write_class(grades)
        return grades

    def _one(self, sent: Sent) -> Grade:
        place = self.out / sent.learner / f"{sent.name}.json"
        try:
            if sent.linked:
                raise UsageError(f"{sent.path.name} is a link, perhaps to somebody else's file.", "Ask for the file.")
            content = read_notebook(sent.path)
            slug = exercise_of(sent, content, self.course)
            handout, version = self._judged_by(slug)
            made_from = {"submission": _hash(content), "version": version}
            kept = None if self.again else read_marks(place)
            if kept and kept.finished and kept.made_from == made_from:
                return Grade(sent=sent, marks=kept, kept=True)
            graded = grade_notebook(content, sent.path.name, handout, self._instructor(), self.course)
            marks = replace(_marks(sent, slug, graded), made_from=made_from)
        except Exception as error:  # whatever one submission provokes, the others are graded
            marks = replace(self._lost(sent), error=_words(error))
        if not self.stopping.is_set():
            _keep(place, to_json(stored(marks, _SCHEMA), indented=True))
        return Grade(sent=sent, marks=marks)

    def _lost(self, sent: Sent) -> Marks:
        """Give no points, of as many as there would have been as far as its name says."""
        try:
            slug = exercise_of(sent, b"", self.course)
            out_of = sum((check.points for check in self._judged_by(slug)[0].checks), 0.0)
        except (MdockError, ImportError):
            slug, out_of = "", 0.0
        return Marks(learner=sent.learner, exercise=slug, notebook=sent.path.name, out_of=out_of)

    def _instructor(self) -> Path | None:
        return self.course / "instructor" if self.course else None

    def _judged_by(self, slug: str) -> tuple[Handout, str]:
        """Return what was handed out, and the judges' version: read once for a whole class."""
        if slug not in self._exercises:
            handout = self._handout(slug)
            self._exercises[slug] = handout, self._version(slug, handout)
        return self._exercises[slug]

    def _handout(self, slug: str) -> Handout:
        """Read what was handed out from the course's source, whatever the assignment's name.

        Hidden cells count if they can be judged here.
        """
        found = sorted(self.course.glob(f"source/*/{slug}.ipynb")) if self.course else []
        if not found:
            return handout_of_exercise(slug, self.course)
        handout = Handout.of_cells(read_cells(found[0]), self.course)
        if hidden_folder(slug, self._instructor(), self.course) is not None:
            return handout
        return Handout(tuple(c for c in handout.checks if not c.hidden), handout.given, handout.solutions)

    def _version(self, slug: str, handout: Handout) -> str:
        """Return a text that changes with whatever could change the points."""
        judges = [
            _package(),
            _code(folder_of(slug, self.course)),
            _code(hidden_folder(slug, self._instructor(), self.course)),
        ]
        handed_out = [handout.checks, sorted(handout.given.items()), sorted(handout.solutions)]
        return _hash(repr([judges, handed_out, sys.version_info]).encode())

    def _write_class(self, grades: Sequence[Grade]) -> None:
        """Write the CSV, a page for each learner, and one of them all."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["learner", "exercise", "points", "out_of", "hidden_points", "not_judged_here", "remark"])
        for grade in grades:
            marks = grade.marks
            hidden = sum(cell.points for cell in marks.cells if cell.hidden)
            remark = marks.error.partition("\n")[0]
            row = [marks.exercise or grade.sent.name, marks.points, marks.out_of, hidden, marks.not_judged_here]
            writer.writerow([_in_a_sheet(value) for value in (grade.sent.learner, *row, remark)])
        _keep(self.out / "grades.csv", text.getvalue().encode())
        handed = [_handed(grade) for grade in grades]
        of_each: dict[str, list[Handed]] = {}
        for one in handed:
            of_each.setdefault(one.learner, []).append(one)
        for learner, own in of_each.items():
            _keep(self.out / learner / "report.html", learner_page(learner, own).encode())
        _keep(self.out / "class.html", class_page(handed, _table_of(self.lessons)).encode())


def _table_of(taken: Sequence[Taken]) -> tuple[list[str], list[tuple[str, list[str], str]]] | None:
    """Return the lessons' short names, and a row for each learner; None where nobody handed an export in."""
    return ([lesson.short for lesson in COURSE], [(*one,) for one in taken]) if taken else None


def _handed(grade: Grade) -> Handed:
    marks = grade.marks
    return Handed(
        learner=grade.sent.learner,
        exercise=grade.sent.name,
        points=marks.points,
        out_of=marks.out_of,
        lost=marks.not_judged_here,
        error=marks.error,
        reports=reports_of(marks),
    )


@cache
def _package() -> str:
    """Return a hash of this whole package: what judges, and all that it stands on."""
    return _code(Path(__file__).parents[1])


def _code(folder: Path | None) -> str:
    """Return a hash of a folder's Python files, names and contents; empty for none."""
    files = sorted(folder.glob("**/*.py")) if folder else []
    return _hash(repr([(str(path.relative_to(folder or "")), _hash(path.read_bytes())) for path in files]).encode())


def exercise_of(sent: Sent, notebook: bytes, near: Path | None = None) -> str:
    """Return which exercise a notebook answers: by its name, else by its cells.

    Raises UsageError where neither says.
    """
    known = slugs(near)
    for where in (sent.path.stem, sent.path.parent.name):
        if named := _begins_with(where, known):
            return named
    for where in names_in(notebook, sent.path.name) if notebook else ():
        if named := _begins_with(where, known):
            return named
    raise UsageError(f"{sent.path.name} answers no exercise of this course.", "Was it made from exercises/release?")


def _begins_with(name: str, known: Sequence[str]) -> str:
    return next((slug for slug in known if name.startswith(slug)), "")


def _marks(sent: Sent, slug: str, graded: Sequence[GradedCell]) -> Marks:
    cells = tuple(
        MarkedCell(
            grade_id=one.check.grade_id,
            hidden=one.check.hidden,
            points=one.points,
            out_of=one.check.points,
            report=one.report,
        )
        for one in graded
    )
    return Marks(
        learner=sent.learner,
        exercise=slug,
        notebook=sent.path.name,
        points=sum((one.points for one in graded), 0.0),
        out_of=sum((one.check.points for one in graded), 0.0),
        not_judged_here=sum((one.not_judged_here for one in graded), 0.0),
        finished=all(one.report.finished for one in graded),
        cells=cells,
    )


def reports_of(marks: Marks) -> list[CheckReport]:
    """Return the report of each check cell."""
    return [cell.report for cell in marks.cells]


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, MdockError) else f"The check broke off: {type(error).__name__}: {error}"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_marks(path: Path) -> Marks | None:
    """Read what an earlier run kept, of this version or an older one; None where it is to be judged again."""
    try:
        return read_stored(Marks, from_json(path.read_bytes()), _SCHEMA)
    except (OSError, ValueError):
        return None


def _in_a_sheet(value: object) -> object:
    """Return a name on one line, in characters that there are.

    A spreadsheet would compute one that begins with certain characters.
    """
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(("=", "+", "-", "@")) else printable(value)


def _keep(path: Path, content: bytes) -> None:
    """Write one file; raise MdockError where nothing can be written.

    That ends a whole class, and what has been written stays.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from None


def _not_written(path: Path, why: str) -> MdockError:
    return MdockError(
        f"{path} cannot be written: {why}. What is graded so far is kept.",
        "Make room, or give the folder to this account; the same command goes on from there.",
    )
