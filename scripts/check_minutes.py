"""How long lessons and exercises take, by one rule, and whether what is stated anywhere is that.

The rule: 200 words a minute, 8 seconds a line of code, 20 an output, 45 a question, 60 a task. What a lesson states
(``udock_lab/lesson/outline.py``, and from there its first cell, the README and the run-sheet) is this figure, rounded
up to five minutes. An exercise states the minutes of reading and writing together; reading it is counted here.

``check_minutes.py``: a table; ends with 1 and a line for each figure that differs, and for each lesson that is longer
than a lesson may be.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from udock_lab.lesson.outline import COURSE

ROOT = Path(__file__).resolve().parent.parent
WORDS_A_MINUTE = 200
SECONDS_A_LINE, SECONDS_AN_OUTPUT, SECONDS_A_QUESTION, SECONDS_A_TASK = 8, 20, 45, 60
STEP = 5  # minutes: what is stated is a multiple of it
MOST = 25  # minutes of one lesson

FENCED = re.compile(r"^```[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
NOT_READ = re.compile(r"(?<=\])\([^)\n]*\)|<[^>\n]+>")  # where a link leads, and tags
QUESTION = re.compile(r"^\w+ = predict\(", re.MULTILINE)
TICKET = re.compile(r"^\w+ = exit_ticket\(", re.MULTILINE)
ORDER = re.compile(r"^\w+ = put_in_order\(", re.MULTILINE)
CHANGE = re.compile(r"#.*\bchange this line\b")
TICKET_QUESTIONS = 2
STATED = re.compile(r"\b(\d+) minutes")

Cell = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Count:
    """What there is to read and to do in a notebook."""

    words: int = 0
    lines: int = 0
    outputs: int = 0
    questions: int = 0
    tasks: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            words=self.words + other.words,
            lines=self.lines + other.lines,
            outputs=self.outputs + other.outputs,
            questions=self.questions + other.questions,
            tasks=self.tasks + other.tasks,
        )

    @property
    def minutes(self) -> float:
        """What it takes, by the rule."""
        seconds = (
            self.words * 60 / WORDS_A_MINUTE
            + self.lines * SECONDS_A_LINE
            + self.outputs * SECONDS_AN_OUTPUT
            + self.questions * SECONDS_A_QUESTION
            + self.tasks * SECONDS_A_TASK
        )
        return seconds / 60

    @property
    def stated(self) -> int:
        """What may be said of it: rounded up to five minutes."""
        return -int(-self.minutes // STEP) * STEP


def count(cells: list[Cell]) -> Count:
    """Return what a reader meets in these cells."""
    total = Count()
    for cell in cells:
        total += _of_text(_source(cell)) if cell["cell_type"] == "markdown" else _of_code(cell)
    return total


def _of_text(text: str) -> Count:
    lines = sum(_lines(block) for block in FENCED.findall(text))
    prose = NOT_READ.sub("", FENCED.sub("", text))
    return Count(words=sum(bool(re.search(r"\w", word)) for word in prose.split()), lines=lines)


def _of_code(cell: Cell) -> Count:
    """Count a code cell. A question is read as its output shows it, and the lines of an order belong to its task."""
    source = _source(cell)
    asked = len(QUESTION.findall(source)) + TICKET_QUESTIONS * len(TICKET.findall(source))
    if asked:
        return Count(questions=asked)
    ordered, changed = len(ORDER.findall(source)), len(CHANGE.findall(source))
    return Count(lines=0 if ordered else _lines(source), outputs=bool(cell.get("outputs")), tasks=max(ordered, changed))


def _lines(code: str) -> int:
    return sum(bool(line.strip()) for line in code.splitlines())


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def of_notebook(path: Path) -> Count:
    """Count one notebook."""
    return count(json.loads(path.read_text())["cells"])


def of_lesson(slug: str) -> Count:
    """Count the lesson of that slug."""
    return of_notebook(ROOT / "notebooks" / f"{slug}.ipynb")


def exercise_notebook(slug: str) -> Path:
    """Return where the exercise is that learners get."""
    return ROOT / "exercises" / "release" / slug / f"{slug}.ipynb"


def stated_of_exercise(slug: str) -> int:
    """Return the minutes that the exercise says it takes; 0 where it says none."""
    first = _source(json.loads(exercise_notebook(slug).read_text())["cells"][0])
    said = STATED.search(first)
    return int(said[1]) if said else 0


def problems(slug: str, stated: int, counted: Count) -> list[str]:
    """Return what is wrong with the figure of one lesson, and with its length."""
    found = []
    if stated != counted.stated:
        found.append(
            f"{slug}: {counted.minutes:.1f} minutes by the rule, so {counted.stated} are to be stated; "
            f"outline.py says {stated}"
        )
    if counted.minutes > MOST:
        found.append(
            f"{slug}: {counted.minutes:.1f} minutes by the rule, at most {MOST}: split it, or take something out"
        )
    return found


def main() -> int:
    """Print the figures and what differs; 1 if anything does."""
    wrong: list[str] = []
    print(f"{'':28}{'words':>6}{'lines':>6}{'outputs':>8}{'questions':>10}{'tasks':>6}{'minutes':>8}{'stated':>7}")
    total = 0.0
    for entry in COURSE:
        counted = of_lesson(entry.slug)
        total += counted.minutes
        _print(entry.slug, counted, entry.minutes)
        wrong += problems(entry.slug, entry.minutes, counted)
    print(f"{'all lessons':64}{total:8.1f}{sum(entry.minutes for entry in COURSE):7}")
    print("\nexercises: reading alone, and what they state")
    for slug in dict.fromkeys(entry.exercise for entry in COURSE if entry.exercise):
        counted, stated = of_notebook(exercise_notebook(slug)), stated_of_exercise(slug)
        _print(slug, counted, stated)
        if stated < 2 * counted.minutes:
            wrong.append(f"{slug}: it states {stated} minutes, and reading it alone takes {counted.minutes:.1f}")
    print("\n".join(wrong) or "minutes are as stated")
    return bool(wrong)


def _print(slug: str, of: Count, stated: int) -> None:
    print(f"{slug:28}{of.words:6}{of.lines:6}{of.outputs:8}{of.questions:10}{of.tasks:6}{of.minutes:8.1f}{stated:7}")


if __name__ == "__main__":
    sys.exit(main())
