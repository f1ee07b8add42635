"""Inside Gradescope's container: what lies in ``/autograder`` is judged, and ``results/results.json`` is written.

::

    source/        what ``udock-lab gradescope`` packed: settings.json, course/
    submission/    what the learner handed in
    submission_metadata.json   who, when, and what came before

The format is https://gradescope-autograders.readthedocs.io/en/latest/specs/. Each requirement is a test of its own; the
score of the whole is that of ``udock-lab grade``. A learner's words are plain text wherever they stand. What is printed
is shown to those who teach alone (``stdout_visibility``): there the reasons of hidden requirements stand.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from udock_lab.display.text.checks import check_text, points, witness
from udock_lab.errors import MdockError
from udock_lab.grading.beside import modules_beside, neighbours
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.graded import GradedCell, grade_notebook
from udock_lab.grading.gradescopemeta import Circumstances, circumstances
from udock_lab.grading.handout import CheckCell, handout_in, read_notebook
from udock_lab.grading.sources import exercise, hidden_exercise
from udock_lab.grading.submissions import Sent, exercise_of
from udock_lab.linux.wholefile import write_whole
from udock_lab.model import CheckReport, Judgement
from udock_lab.model.jsontext import from_json, to_json
from udock_lab.model.value import Value
from udock_lab.text.terminal import printable

__all__ = ["main"]

_MOST_NOTEBOOKS = 100  # that are looked at
_LONGEST = 4000  # characters of what one test says


class Answer(Value):
    """What was handed in for one exercise: the reports of its check cells, or ``error``: why there are none."""

    slug: str
    notebook: str = ""
    cells: tuple[GradedCell, ...] = ()
    halves: tuple[tuple[CheckCell, Exercise], ...] = ()  # what there is to earn
    error: str = ""

    @property
    def points(self) -> float:
        """Points earned."""
        return sum((cell.points for cell in self.cells), 0.0)

    @property
    def finished(self) -> bool:
        """No check broke off for a reason that is not the answer's."""
        return all(cell.report.finished for cell in self.cells)


def main(words: Sequence[str]) -> int:
    """Judge what lies in a folder laid out as ``/autograder``, and write its ``results/results.json``."""
    (place,) = map(Path, words)
    start = time.monotonic()
    settings: Any = from_json((place / "source/settings.json").read_bytes())
    course = place / "source/course"
    found, notes = _notebooks(place / "submission", course)
    answers = [_answer(slug, found.get(slug, []), course, notes) for slug in settings["exercises"]]
    about = circumstances(place / "submission_metadata.json")
    results = _results(answers, about, notes, settings["hidden"]) | {
        "execution_time": round(time.monotonic() - start, 1)
    }
    write_whole(place / "results/results.json", to_json(results, indented=True))
    for answer in answers:
        _tell_those_who_teach(answer)
    return 0


# --- what was handed in


def _notebooks(folder: Path, course: Path) -> tuple[dict[str, list[tuple[Path, bytes]]], list[str]]:
    """Return the notebooks of each exercise, the one that counts first, and what is to be said of those left out."""
    found: dict[str, list[tuple[Path, bytes]]] = {}
    notes = []
    for number, path in enumerate(_files(folder)):
        name = str(path.relative_to(folder))
        if number == _MOST_NOTEBOOKS:
            notes.append(f"Only {_MOST_NOTEBOOKS} notebooks were looked at.")
            break
        try:
            content = read_notebook(path)
            slug = exercise_of(Sent(learner="", name=path.stem, path=path), content, course)
        except MdockError as error:
            notes.append(f"{name} was left out: {error.message}")
            continue
        found.setdefault(slug, []).append((path, content))
    for slug, several in found.items():
        several.sort(key=lambda one: (one[0].stem != slug, -one[0].stat().st_mtime, str(one[0])))
    return found, notes


def _files(folder: Path) -> Iterator[Path]:
    """Yield every notebook that is a file of its own; a link may lead anywhere."""
    for top, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(files):
            path = Path(top, name)
            if name.endswith(".ipynb") and not name.startswith(".") and stat.S_ISREG(path.lstat().st_mode):
                yield path


def _answer(slug: str, several: list[tuple[Path, bytes]], course: Path, notes: list[str]) -> Answer:
    """Judge the notebook that counts; whatever it provokes, the others are judged."""
    handout = handout_in(course, slug)
    instructor = course / "instructor"
    halves = tuple(
        (check, hidden_exercise(slug, instructor, course) if check.hidden else exercise(slug, course))
        for check in handout.checks
    )
    if not several:
        return Answer(slug=slug, halves=halves, error=f"No notebook of this exercise was handed in ({slug}.ipynb).")
    path, content = several[0]
    if len(several) > 1:
        others = ", ".join(one.name for one, _ in several[1:])
        notes.append(f"Several notebooks answer {slug}: {path.name} counts; not {others}.")
    try:
        modules, more = modules_beside(content, neighbours(path))
        cells = grade_notebook(content, path.name, handout, instructor, course, more, modules)
    except MdockError as error:
        return Answer(slug=slug, notebook=path.name, halves=halves, error=str(error))
    except Exception as error:  # as in batch.py
        why = f"The check broke off ({type(error).__name__}: {error}). Ask for it to be run again."
        return Answer(slug=slug, notebook=path.name, halves=halves, error=why)
    return Answer(slug=slug, notebook=path.name, cells=tuple(cells), halves=halves)


# --- results.json


def _results(answers: Sequence[Answer], about: Circumstances, notes: Sequence[str], hidden: str) -> dict[str, object]:
    several = len(answers) > 1
    tests = [
        test
        for number, answer in enumerate(answers, 1)
        for test in _tests(answer, str(number) if several else "", hidden)
    ]
    lines = dict.fromkeys([*about.lines(), *notes, *(line for answer in answers for line in _said_of(answer))])
    return {
        "score": sum(answer.points for answer in answers),
        "output": "\n".join(map(_cut, lines)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "extra_data": about.extra_data | {"exercises": {answer.slug: _kept(answer) for answer in answers}},
        "tests": tests,
    }


def _tests(answer: Answer, prefix: str, hidden: str) -> Iterator[dict[str, object]]:
    """Yield a test for each requirement; a learner who handed in nothing sees what there was to earn."""
    reports = [cell.report for cell in answer.cells] or [_of_nothing(half, answer.error) for _, half in answer.halves]
    number = 0
    for (check, _), report in zip(answer.halves, reports, strict=True):
        judged = report.out_of - report.refused
        worth_of_one = check.points / judged if judged else 0.0
        for judgement in report.judgements:
            number += 1
            worth = 0.0 if judgement.refused else round(judgement.requirement.points * worth_of_one, 4)
            test: dict[str, object] = {
                "number": f"{prefix}.{number}" if prefix else str(number),
                "name": f"{answer.slug}: {judgement.requirement.name}" if prefix else judgement.requirement.name,
                "score": worth if judgement.passed else 0.0,
                "max_score": worth,
                "output": _cut(_in_words(judgement)),
                "visibility": hidden if check.hidden else "visible",
                "extra_data": {
                    "exercise": answer.slug,
                    "requirement": judgement.requirement.key,
                    "hidden": check.hidden,
                },
            }
            yield test if judgement.refused else test | {"status": "passed" if judgement.passed else "failed"}


def _of_nothing(half: Exercise, why: str) -> CheckReport:
    judgements = tuple(Judgement(requirement=one, passed=None, why=why) for one in half.requirements)
    return CheckReport(slug=half.slug, title=half.title, judgements=judgements)


def _in_words(judgement: Judgement) -> str:
    if judgement.passed:
        return f"{witness(judgement)}: {judgement.seen}" if judgement.seen else ""
    if judgement.passed is None:
        return judgement.why
    lines = [f"expected {judgement.expected}", f"seen {judgement.seen}"]
    if judgement.looks_like:
        lines.append(f"This looks like: {judgement.looks_like}")
    lines.append(f"Read: {judgement.requirement.lesson}")
    if judgement.again:
        lines.append(f"See it happen, in your notebook: {judgement.again}")
    return "\n".join(lines)


def _said_of(answer: Answer) -> Iterator[str]:
    name = f"{answer.slug}: " if answer.notebook else ""
    if answer.error:
        yield f"{name}{answer.error}"
    lost = sum(cell.not_judged_here for cell in answer.cells)
    if lost:
        yield f"{name}{points(lost)} points could not be judged on this machine; the others count for them."
    if not answer.finished:
        yield f"{name}the check broke off. Ask for it to be run again."
    for cell in answer.cells:
        for note in cell.report.notes:
            yield from (f"{name}{line}" for line in note.splitlines())


def _kept(answer: Answer) -> dict[str, object]:
    return {
        "notebook": answer.notebook,
        "points": answer.points,
        "out_of": sum(check.points for check, _ in answer.halves),
        "not_judged_here": sum(cell.not_judged_here for cell in answer.cells),
        "finished": answer.finished and not (answer.error and answer.notebook),
        "error": answer.error,
    }


def _cut(text: str) -> str:
    """Return lines that move no cursor, not more than a page of them."""
    lines = "\n".join(map(printable, text.splitlines()))
    return lines if len(lines) <= _LONGEST else f"{lines[:_LONGEST]} ..."


# --- for those who teach


def _tell_those_who_teach(answer: Answer) -> None:
    why = answer.error.partition("\n")[0]
    print(printable(f"{answer.slug}  {answer.notebook}  {points(answer.points)} points  {why}"))
    for cell in answer.cells:
        print(check_text(cell.reasons or cell.report))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
