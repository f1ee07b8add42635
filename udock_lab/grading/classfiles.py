"""What is written of a whole class, from what is kept of each submission.

::

    OUT/grades.csv                one line for each exercise that a learner handed in, as it counts
    OUT/students.csv              one line a learner, also of those on the roster who handed in nothing
    OUT/class.html, OUT/class/    the same to read (display/pages/classroom.py)
    OUT/<learner>/report.html     for the learner
    OUT/lecturer/<learner>.html   the same with what was tried of hidden requirements that failed

All of it takes time and memory in proportion to the class. Reports are read back from what is kept one learner at a
time; in a large class they are made for those who are asked for.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from udock_lab.display.pages.classroom import Handed, Pupil, Work, class_pages, learner_page, totals
from udock_lab.grading.batch import keep
from udock_lab.grading.coursefile import hinted, hints_of
from udock_lab.grading.marks import Marks, Result, marks_place, read_marks
from udock_lab.grading.roster import Enrolled
from udock_lab.grading.submissions import Sent
from udock_lab.grading.taken import Taken
from udock_lab.lesson.outline import COURSE
from udock_lab.text.terminal import printable

__all__ = ["MOST_REPORTS", "ClassFiles", "by_learner", "counting"]

MOST_REPORTS = 2000  # learners; in a larger class a report is made when it is asked for


@dataclasses.dataclass
class ClassFiles:
    """How a class is written to ``out``; ``roster``: who is in it, by the names of the learners' folders.

    ``persons``: what a learning platform calls learners whom the roster does not have. ``hints_from``: the folder whose
    ``course.toml`` has hints for the reports. ``only``: whose report is made, where it is not everybody's;
    ``every_report``: also those of a large class.
    """

    out: Path
    lessons: Sequence[Taken] = ()
    roster: Mapping[str, Enrolled] = dataclasses.field(default_factory=dict)
    only: Collection[str] = ()
    every_report: bool = False
    persons: Mapping[str, str] = dataclasses.field(default_factory=dict)
    hints_from: Path | None = None

    def write(self, results: Sequence[Result], waiting: Sequence[Sent] = ()) -> list[Pupil]:
        """Write all of it and return who is in the class; ``waiting`` are submissions that are not judged yet."""
        of_each = by_learner(results)
        late = {one.learner for one in waiting}
        learners = sorted({*of_each, *self.roster, *late})
        pupils = [self._pupil(name, of_each.get(name, ())) for name in learners]
        shown = [one for one in pupils if one.handed or one.learner not in late]
        keep(self.out / "grades.csv", self._grades(pupils, of_each, waiting))
        keep(self.out / "students.csv", self._students(shown))
        linked = self.every_report or len(of_each) <= MOST_REPORTS
        for learner in of_each if linked and not self.only else of_each.keys() & set(self.only):
            self._write_reports(learner, of_each[learner])
        written = {"class.html"}
        for path, page in class_pages(shown, _table_of(self.lessons), waiting=len(waiting), linked=linked):
            keep(self.out / path, page.encode("utf-8", "replace"))
            written.add(path)
        for old in (self.out / "class").glob("*-*.html"):  # of a larger class
            if f"class/{old.name}" not in written:
                old.unlink(missing_ok=True)
        return shown

    def _pupil(self, learner: str, results: Sequence[Result]) -> Pupil:
        person = self.persons.get(learner, "")
        enrolled = self.roster.get(learner, Enrolled(learner, person if person != learner else ""))
        return Pupil(learner, enrolled.name, enrolled.email, tuple(handed for _, handed in counting(results)))

    # --- for spreadsheets

    def _grades(
        self, pupils: Iterable[Pupil], of_each: Mapping[str, Sequence[Result]], waiting: Sequence[Sent]
    ) -> bytes:
        head = "learner exercise points out_of hidden_points not_judged_here remark notebook"
        lines: list[Sequence[object]] = [head.split()]
        late: dict[str, list[Sent]] = {}
        for sent in waiting:
            late.setdefault(sent.learner, []).append(sent)
        for pupil in pupils:
            for result, one in counting(of_each.get(pupil.learner, ())):
                remark = "; ".join(filter(None, [one.why, one.note])) or _remark(one)
                numbers = [one.points, one.out_of, result.hidden_points, one.lost]
                lines.append([pupil.learner, one.called, *numbers, remark, result.notebook])
            for sent in late.get(pupil.learner, ()):
                lines.append([pupil.learner, sent.name, "", "", "", "", "not judged yet", sent.notebook])
            if not pupil.handed and pupil.learner not in late:
                lines.append([pupil.learner, "", 0.0, "", "", "", "handed in nothing", ""])
        return self._sheet(lines)

    def _students(self, pupils: Sequence[Pupil]) -> bytes:
        most = totals(pupils)
        lines: list[Sequence[object]] = [["learner", "name", "email", "points", "out_of", "handed_in", *most]]
        for pupil in pupils:
            found = {one.exercise: one.points for one in pupil.handed if one.exercise}
            own = [sum(found.values(), 0.0), sum(most.values(), 0.0), len(found)]
            lines.append([pupil.learner, pupil.name, pupil.email, *own, *(found.get(name, "") for name in most)])
        return self._sheet(lines)

    def _sheet(self, lines: Iterable[Sequence[object]]) -> bytes:
        """Write CSV. An id that the roster has stands there as it does in the roster, whatever it begins with."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for learner, *others in lines:
            enrolled = self.roster.get(str(learner))
            writer.writerow([enrolled.id if enrolled else _in_a_sheet(learner), *map(_in_a_sheet, others)])
        return text.getvalue().encode("utf-8", "replace")

    # --- reports

    def _write_reports(self, learner: str, results: Sequence[Result]) -> None:
        works = list(self._works(results, lecturers=False))
        keep(self.out / learner / "report.html", learner_page(learner, works).encode("utf-8", "replace"))
        place = self.out / "lecturer" / f"{learner}.html"
        if any(one.hidden for work in works for one in work.handed.failures):
            reasons = list(self._works(results, lecturers=True))
            keep(place, learner_page(learner, reasons, lecturers=True).encode("utf-8", "replace"))
        else:
            place.unlink(missing_ok=True)

    def _works(self, results: Sequence[Result], *, lecturers: bool) -> Iterator[Work]:
        notes = {result.name: handed for result, handed in counting(results)}
        for result in results:
            marks = read_marks(marks_place(self.out, result))
            hints = hints_of(result.handed.exercise, self.hints_from)
            yield _work(notes.get(result.name), result.handed, marks, hints, lecturers=lecturers)


def _work(
    counts: Handed | None, handed: Handed, marks: Marks | None, hints: dict[str, tuple[str, ...]], *, lecturers: bool
) -> Work:
    cells = marks.cells if marks else ()
    return Work(
        handed=counts or handed,
        reports=[
            hinted(cell.reasons if lecturers and cell.reasons else cell.report, hints, hidden=cell.hidden)
            for cell in cells
        ],
        error=marks.error if marks else handed.why,
        earned=[(cell.points, cell.out_of) for cell in cells],
        counts=counts is not None,
    )


def by_learner(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return everybody's submissions."""
    of_each: dict[str, list[Result]] = {}
    for result in results:
        of_each.setdefault(result.learner, []).append(result)
    return of_each


# --- what counts


def counting(results: Sequence[Result]) -> list[tuple[Result, Handed]]:
    """Return what counts of one learner's submissions, in the order of their names, and what is said of the others.

    Of several of one exercise it is the newest attempt, as far as a platform tells attempts apart; of one attempt the
    notebook that is called as it was handed out, then the last upload, then the one that was changed last.
    """
    of_each: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda one: one.name):
        of_each.setdefault(result.handed.exercise or f"/{result.name}", []).append(result)
    found = []
    for several in of_each.values():
        chosen = max(several, key=_claim)
        others = [f"{_file(one)} ({one.handed.score})" for one in several if one is not chosen]
        note = f"{len(several)} handed in: {_file(chosen)} counts, not {', '.join(others)}" if others else ""
        found.append((chosen, chosen.handed._replace(note=note)))
    return found


def _file(result: Result) -> str:
    """Return how a notebook is told from its neighbours of the same name."""
    if result.label:
        return f"{result.notebook} ({result.label})"
    stem = result.notebook.removesuffix(".ipynb")
    return result.notebook if result.name == stem else f"{result.name.removesuffix(stem).rstrip('-')}/{result.notebook}"


def _claim(result: Result) -> tuple[float, bool, int, bool, float, str]:
    """Return what is larger for the one that counts."""
    exercise, name = result.handed.exercise, result.name
    is_ours = result.notebook == f"{exercise}.ipynb"
    attempt = result.when if result.label else 0.0
    return attempt, is_ours, result.serial, name == exercise, result.changed, name


def _remark(one: Handed) -> str:
    return "" if not one.lost else one.trouble


def _table_of(taken: Sequence[Taken]) -> tuple[list[str], list[tuple[str, list[str], str]]] | None:
    """Return the lessons' short names, and a row for each learner; None where nobody handed an export in."""
    return ([lesson.short for lesson in COURSE], [(*one,) for one in taken]) if taken else None


def _in_a_sheet(value: object) -> object:
    """Return a name on one line, in characters that there are.

    A spreadsheet would compute one that begins with certain characters.
    """
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(("=", "+", "-", "@")) else printable(value)
