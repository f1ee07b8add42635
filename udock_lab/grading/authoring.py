"""``udock-lab exercise SLUG``: for those who write exercises.

Without an option it judges the exercise's corpus, and says where a verdict is not what the answer's file says.
``--notebook`` writes the notebook that nbgrader makes releases of: the statement from the requirements, a solution cell
from a right answer, the check cells with their points. It is a beginning; the words are the author's.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from udock_lab.display.text.checks import points
from udock_lab.errors import Conflict, NotFound, UsageError
from udock_lab.grading.corpus import Answer, Marks, answers, mark
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.sources import exercise, folder_of, hidden_exercise, hidden_folder
from udock_lab.linux.wholefile import write_whole
from udock_lab.text.terminal import printable

__all__ = ["author", "notebook"]

_AT_ONCE = 2  # answers that are judged
_BEGIN, _END = "### BEGIN SOLUTION", "### END SOLUTION"


def author(args: Namespace) -> int:
    """Do what ``udock-lab exercise`` was asked for; return the exit code."""
    public, hidden = _halves(args.slug)
    if args.notebook:
        place = Path("source", args.slug, f"{args.slug}.ipynb")
        if place.exists():
            raise Conflict(f"{place} is there already.", "Edit it, or move it away.")
        right = next((answer for answer in _corpus(args.slug, args.corpus) if answer.right), None)
        if right is None:
            raise UsageError(f"The corpus of {args.slug} has no right answer.", "Write right_plain.py into it.")
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, notebook(public, hidden, right).encode())
        print(f"{place} is written. Its words are yours: edit it.")
        return 0
    return _try(args.slug, public, hidden, _corpus(args.slug, args.corpus))


def _halves(slug: str) -> tuple[Exercise, Exercise | None]:
    return exercise(slug), hidden_exercise(slug) if hidden_folder(slug) else None


def _corpus(slug: str, folder: str | None) -> list[Answer]:
    place = Path(folder) if folder else folder_of(slug) / "corpus"
    found = answers(slug, place)
    if not found:
        raise NotFound(f"There is no answer in {place}.", "Write right_*.py and wrong_*.py there, or say --corpus DIR.")
    return found


def _try(slug: str, public: Exercise, hidden: Exercise | None, corpus: Sequence[Answer]) -> int:
    """Judge a corpus; return 1 where a verdict is not what its file says, or no answer fails a requirement."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        marks = list(pool.map(lambda answer: mark(answer, public, hidden), corpus))
    for one in marks:
        print(printable(f"{'ok' if not one.complaint else 'NO':<4}{one.answer.name:<30}  {_verdict(one)}"))
    missing = sorted(_asked(public, hidden) - {(one.in_hidden, one.fails) for one in corpus})
    for in_hidden, key in missing:
        print(f"NO  no wrong answer fails {'hidden:' if in_hidden else ''}{key}")
    wrong = sum(bool(one.complaint) for one in marks)
    print(f"{slug}: {len(marks)} answers, {wrong} judged otherwise than their files say", file=sys.stderr)
    return int(bool(wrong or missing))


def _verdict(marks: Marks) -> str:
    if marks.complaint:
        return marks.complaint
    earned, out_of = (sum(getattr(report, what) for report in marks.reports) for what in ("points", "out_of"))
    failed = next((report.first_failure for report in marks.reports if report.first_failure), None)
    where = f", fails {failed.requirement.key}" if failed else ""
    return f"{points(earned)} of {points(out_of)} points{where}"


def _asked(public: Exercise, hidden: Exercise | None) -> set[tuple[bool, str]]:
    """Return what wrong answers are wanted for."""
    return {(half.hidden, one.key) for half in (public, hidden) if half for one in half.requirements}


# --- the notebook


def notebook(public: Exercise, hidden: Exercise | None, right: Answer) -> str:
    """Return the source notebook as JSON; nbgrader makes the release of it (its solution region is left out there)."""
    cells = list(_cells(public, hidden, right))
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cells(public: Exercise, hidden: Exercise | None, right: Answer) -> Iterator[dict[str, Any]]:
    slug, names = public.slug, ", ".join(public.functions)
    halves = [half for half in (public, hidden) if half]
    promised = [(one, half.hidden) for half in halves for one in half.requirements]
    listed = (
        f"{number}. {one.name}{' (judged when you hand in)' if is_hidden else ''}"
        for number, (one, is_hidden) in enumerate(promised, 1)
    )
    statement = "\n".join([f"# {public.title}", "", "What is judged:", "", *listed])
    yield _cell(f"{slug}_text", statement, "markdown")
    yield _cell(f"{slug}_given", "%load_ext udock_lab\nfrom udock_lab.grading import ExitInfo, check")
    yield _cell(f"{slug}_answer", f"{_BEGIN}\n{right.source.strip()}\n{_END}", solution=True)
    yield _cell(f"{slug}_check", f'score = check("{slug}", {names})\nscore', points=_points(public))
    if hidden:
        text = (
            "# More is judged here when you hand in.\n### BEGIN HIDDEN TESTS\n"
            f'from udock_lab.grading import check_hidden\n\ncheck_hidden("{slug}", {names})\n### END HIDDEN TESTS'
        )
        yield _cell(f"{slug}_hidden", text, points=_points(hidden))


def _points(half: Exercise) -> float:
    return sum(one.points for one in half.requirements)


def _cell(
    grade_id: str, text: str, kind: str = "code", *, solution: bool = False, points: float | None = None
) -> dict[str, Any]:
    graded = points is not None
    facts: dict[str, Any] = {
        "grade": graded,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    if graded:
        facts["points"] = points
    made = {"cell_type": kind, "id": grade_id.replace("_", "-")[-64:], "metadata": {"nbgrader": facts}, "source": text}
    return made | ({"execution_count": None, "outputs": []} if kind == "code" else {})
