"""``udock-lab check NOTEBOOK...``: judge notebooks where nobody looks at a card: in a terminal, in any CI.

A person reads the text; a program reads ``--json``, or the exit code alone: 0 where nothing is missing, 1 where points
are, or where a notebook could not be judged. In a job of GitHub Actions the page of the job shows the same as a table
(``GITHUB_STEP_SUMMARY``), and GitHub Classroom's reporter is told each requirement (``--classroom``, by the output
``result`` of the step: its JSON in base64, as the reporter's own graders write it).
"""

from __future__ import annotations

import base64
import dataclasses
import os
import re
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from udock_lab.display.text.checks import points, witness
from udock_lab.errors import MdockError, UsageError
from udock_lab.grading.beside import modules_beside, neighbours
from udock_lab.grading.coursefile import hinted, hints_of
from udock_lab.grading.graded import GradedCell, grade_notebook
from udock_lab.grading.handout import handout_in, read_notebook
from udock_lab.grading.sources import named_course
from udock_lab.grading.submissions import Sent, exercise_of
from udock_lab.model import Judgement
from udock_lab.model.jsontext import to_json
from udock_lab.model.value import Value
from udock_lab.text.terminal import printable

__all__ = ["Checked", "as_classroom", "as_json", "as_markdown", "check", "checked"]

_TO_ACTIONS = ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE")
_NO_MARKDOWN = re.compile(r"[!-/:-@\[-`{-~]")


class Checked(Value):
    """One notebook: what it earned, and the reports of its check cells. ``error`` says why there are none."""

    notebook: str
    exercise: str = ""
    cells: tuple[GradedCell, ...] = ()
    error: str = ""

    @property
    def points(self) -> float:
        """Points earned."""
        return sum((cell.points for cell in self.cells), 0.0)

    @property
    def out_of(self) -> float:
        """Points that this machine could judge."""
        return sum((cell.check.points - cell.not_judged_here for cell in self.cells), 0.0)

    @property
    def judgements(self) -> Iterable[Judgement]:
        """What was found for each requirement, in the order of the card."""
        return (judgement for cell in self.cells for judgement in cell.report.judgements)

    @property
    def notes(self) -> list[str]:
        """What the reports say beside the requirements."""
        return [note for cell in self.cells for note in cell.report.notes]

    @property
    def finished(self) -> bool:
        """No check broke off."""
        return all(cell.report.finished for cell in self.cells)

    @property
    def whole(self) -> bool:
        """Nothing is missing, as far as this machine can judge."""
        return bool(self.cells) and self.finished and all(one.passed or one.refused for one in self.judgements)

    @property
    def summary(self) -> str:
        """Its last line."""
        if self.error:
            return f"{self.notebook}: {self.error.partition(chr(10))[0]}"
        lost = sum(cell.not_judged_here for cell in self.cells)
        beside = f"; {points(lost)} more could not be judged on this machine" if lost else ""
        again = "" if self.finished else "; the check broke off: run it again"
        return f"{self.notebook}: {points(self.points)} of {points(self.out_of)} points{beside}{again}"


def check(args: Namespace) -> int:
    """Judge each, print what was found; the exit code. UsageError, before any is judged, for a file that is missing."""
    course = named_course(args.course)
    paths = [Path(name) for name in args.notebooks]
    for path in paths:
        if not path.is_file():
            raise UsageError(
                f"There is no notebook {path}.", "Name a file: udock-lab check m2_1_process_creation.ipynb"
            )
    if args.classroom and "GITHUB_OUTPUT" not in os.environ:
        raise UsageError("--classroom is for a step of GitHub Actions.", "Elsewhere: udock-lab check --json NOTEBOOK")
    # What CI reads is not told to the learner's program, which inherits this environment.
    told = {name: os.environ.pop(name) for name in _TO_ACTIONS if name in os.environ}
    found = []
    for path in paths:
        one = checked(path, course)
        found.append(one)
        if not args.json:
            print("\n".join([*(cell.text for cell in one.cells), printable(one.summary), ""]), flush=True)
    if args.json:
        print(as_json(found).decode())
    for page in filter(None, (told.get("GITHUB_STEP_SUMMARY"), args.summary)):
        _append(page, as_markdown(found))
    if args.classroom:
        _append(told["GITHUB_OUTPUT"], f"result={base64.b64encode(as_classroom(found)).decode()}\n")
    return 0 if all(one.whole for one in found) else 1


def checked(path: Path, course: Path | None = None) -> Checked:
    """Judge one notebook, by hidden requirements too where ``course`` has them. What is wrong with it becomes words.

    Without ``course`` the exercises are those of a ``course.toml`` beside the notebook or above it.
    """
    sent = Sent(learner="", name=path.stem, path=path.resolve())
    near = course or sent.path.parent
    try:
        content = read_notebook(path)
        slug = exercise_of(sent, content, near)
        instructor = course / "instructor" if course else None
        modules, notes = modules_beside(content, neighbours(path))
        cells = grade_notebook(content, path.name, handout_in(course, slug, near), instructor, near, notes, modules)
    except MdockError as error:
        return Checked(notebook=path.name, error=str(error))
    hints = hints_of(slug, near)
    told = (dataclasses.replace(one, report=hinted(one.report, hints, hidden=one.check.hidden)) for one in cells)
    return Checked(notebook=path.name, exercise=slug, cells=tuple(told))


def _append(path: str, text: str) -> None:
    with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


# --- for programs


def as_json(found: Sequence[Checked]) -> bytes:
    """Return the points of all, and of each notebook every requirement; ``passed`` is null where it was not judged."""
    return to_json(
        {
            "points": sum(one.points for one in found),
            "out_of": sum(one.out_of for one in found),
            "notebooks": [
                {
                    "notebook": one.notebook,
                    "exercise": one.exercise,
                    "points": one.points,
                    "out_of": one.out_of,
                    "error": one.error,
                    "requirements": [
                        _requirement(judgement, hidden=cell.check.hidden)
                        for cell in one.cells
                        for judgement in cell.report.judgements
                    ],
                    "notes": one.notes,
                }
                for one in found
            ],
        },
        indented=True,
    )


def _requirement(judgement: Judgement, *, hidden: bool) -> dict[str, object]:
    requirement = judgement.requirement
    return {
        "key": requirement.key,
        "name": requirement.name,
        "hidden": hidden,
        "points": requirement.points,
        "passed": judgement.passed,
        "expected": judgement.expected,
        "seen": judgement.seen,
        "looks_like": judgement.looks_like,
        "why": judgement.why,
        "read": requirement.lesson,
    }


def as_classroom(found: Sequence[Checked]) -> bytes:
    """Return what GitHub Classroom's autograding reporter reads: one test for each requirement that could be judged."""
    tests = []
    for one in found:
        if one.error:
            tests.append({"name": one.notebook, "status": "error", "score": 0, "message": one.error})
        for judgement in one.judgements:
            if not judgement.refused:
                worth, held = judgement.requirement.points, bool(judgement.passed)
                tests.append(
                    {
                        "name": f"{one.exercise}: {judgement.requirement.name}",
                        "status": "pass" if held else "fail",
                        "score": worth if held else 0,
                        "message": "" if held else _in_words(judgement),
                    }
                )
    status = "pass" if all(one.whole for one in found) else "fail"
    most = sum(one.requirement.points for each in found for one in each.judgements if not one.refused)
    return to_json({"version": 1, "status": status, "max_score": most, "tests": tests})


def _in_words(judgement: Judgement) -> str:
    if judgement.passed is None:
        return judgement.why
    looks = f" This looks like: {judgement.looks_like}." if judgement.looks_like else ""
    return f"expected {judgement.expected}, seen {judgement.seen}.{looks} Read: {judgement.requirement.lesson}"


# --- for the page of a job


def as_markdown(found: Sequence[Checked]) -> str:
    """Return a heading and a table for each notebook. A learner's words are neither Markdown nor HTML there."""
    lines: list[str] = []
    for one in found:
        lines += [f"### {_plain(one.summary)}", ""]
        if one.cells:
            lines += ["| | Requirement | What was found |", "|---|---|---|"]
            lines += [_row(judgement) for judgement in one.judgements]
            lines.append("")
        lines += [f"- {_plain(note)}" for note in one.notes] + ([""] if one.notes else [])
    return "\n".join(lines) + "\n"


def _row(judgement: Judgement) -> str:
    mark = {True: "✓", False: "✗", None: "-"}[judgement.passed]
    if judgement.passed:
        said = f"{witness(judgement)}: {_plain(judgement.seen)}" if judgement.seen else ""
    elif judgement.passed is None:
        said = _plain(judgement.why)
    else:
        parts = [f"expected {_plain(judgement.expected)}", f"seen {_plain(judgement.seen)}"]
        if judgement.looks_like:
            parts.append(f"**this looks like:** {_plain(judgement.looks_like)}")
        said = "<br>".join([*parts, f"read: {_plain(judgement.requirement.lesson)}"])
    return f"| {mark} | {_plain(judgement.requirement.name)} | {said} |"


def _plain(text: str) -> str:
    """Return text that stays text in Markdown and HTML: punctuation as character references (HTML, section 13.5)."""
    return _NO_MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", printable(" ".join(text.split())))
