"""Lessons and exercises of every version that was handed out run with the package of today.

A learner may keep an old copy: ``udock-lab start`` never writes over a notebook that was changed. What such a reader
may count on, and what is demanded here:

- every cell runs, in order, from ``%load_ext`` to ``lesson.end()``; one that showed something still does, and none
  complains on stderr that did not;
- what the lesson taught is still so: answers that were right when it was handed out are judged right, in predictions
  (the machine's own answer), in the task (an order that works) and in the exit ticket, and all of it is kept;
- ``check`` judges an unsolved exercise, and gives the model solution of that time every point that this machine can
  judge.

What outputs say in words and pictures may change from version to version, so they are not compared;
``scripts/test-notebooks`` does that with the lessons of today. Each lesson is taken once, with its answers, in a
kernel of its own, where ``udock-lab start`` would have laid it.
"""

from __future__ import annotations

import ast
import re
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from udock_lab.course import layout
from udock_lab.lesson.explanations import TICKETS
from udock_lab.lesson.session import ledger

HANDED_OUT = Path(__file__).resolve().parents[1] / "handed_out"
CELL_SECONDS = 200  # for one cell, on a machine that does other things too
LESSONS = sorted(HANDED_OUT.glob("*/notebooks/*.ipynb"))
EXERCISES = sorted(HANDED_OUT.glob("*/exercises/*/*.ipynb"))

pytestmark = pytest.mark.timeout(600)

Notebook = Any


def name(path: Path) -> str:
    return f"{path.relative_to(HANDED_OUT).parts[0]}-{path.stem}"


@pytest.fixture
def learner(home: Path, tmp_path: Path) -> Path:
    """The folder in which a learner keeps the course; still empty."""
    return tmp_path / "udock-lab"


def laid(path: Path, learner: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The course of that notebook's version, laid out as ``udock-lab start`` did; where the notebook is now."""
    version = HANDED_OUT / path.relative_to(HANDED_OUT).parts[0]
    lessons, exercises = version / "notebooks", version / "exercises"
    monkeypatch.setattr(layout, "course_folders", lambda: [(lessons, ""), (exercises, "exercises")])
    layout.lay_out(learner)
    return learner / path.relative_to(lessons if path.is_relative_to(lessons) else version)


def run_all(notebook: Notebook, folder: Path) -> None:
    """Every cell in a fresh kernel; CellExecutionError for the first that fails."""
    where = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources=where).execute()


def shortcomings(now: Notebook, then: Notebook) -> list[str]:
    """Cells that show nothing any more, or complain on stderr and did not."""
    wrong = []
    for number, (cell, before) in enumerate(zip(now.cells, then.cells, strict=True), 1):
        if cell.cell_type != "code":
            continue
        if before.outputs and not cell.outputs:
            wrong.append(f"cell {number} shows nothing any more")
        machines_own = "nbval-ignore-output" in before.metadata.get("tags", [])
        if complaint(cell) and not complaint(before) and not machines_own:
            wrong.append(f"cell {number} complains: {complaint(cell)}")
    return wrong


def complaint(cell: Notebook) -> str:
    streams = (output for output in cell.outputs if output.output_type == "stream")
    return "".join(output.text for output in streams if output.name == "stderr")


# --- lessons


def answered(source: str, answers: dict[str, Any], slug: str) -> str:
    """A cell with what its learner answers: predictions, the order of the task, the exit ticket."""
    said = [f"{name}.answer({answers[name]!r})" for name in re.findall(r"^(\w+) = predict\(", source, re.MULTILINE)]
    if source.startswith("ticket = exit_ticket("):
        said.append(f"ticket.answer(*{ticket_answers(source, slug)!r})")
    if "task.try_order(" in source:
        order = ", ".join(map(str, answers["task"]))
        source, tries = re.subn(r"task\.try_order\([\d, ]+\)", f"task.try_order({order})", source)
        assert tries == 1
    return "\n".join([source, *said])


def ticket_answers(source: str, slug: str) -> list[object]:
    """The answer to each question; of several that are accepted the first."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    ticket = next(call for call in calls if ast.unparse(call.func) == "exit_ticket")
    questions = [ast.literal_eval(question) for question in ticket.args]
    accepted = [TICKETS[slug][asked[0]][0] if len(asked) == 2 else asked[1] for asked in questions]
    return [answer[0] if isinstance(answer, list) else answer for answer in accepted]


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_a_lesson_handed_out_runs_and_what_was_right_is_right(
    path: Path, learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = laid(path, learner, monkeypatch)
    answers = tomllib.loads((path.parents[1] / "answers.toml").read_text())[path.stem]
    notebook = nbformat.read(mine, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = answered(cell.source, answers, path.stem)
    run_all(notebook, mine.parent)
    assert shortcomings(notebook, nbformat.read(path, as_version=4)) == []
    kept, slug = ledger().read(), path.stem
    order = answers.pop("task", None)
    assert {question: facts["answer"] for question, facts in kept["predictions"][slug].items()} == answers
    assert {facts["verdict"] for facts in kept["predictions"][slug].values()} == {"right"}
    assert not any(facts["late"] for facts in kept["predictions"][slug].values())
    assert kept["lessons"][slug]["done"] is True
    if order:
        assert [task["solved"] for task in kept["lessons"][slug]["orders"].values()] == [True]
        assert set(kept["tickets"][slug]["ticket"]["right"]) == {True}


def test_a_lesson_whose_questions_are_left_open_runs_to_its_end(learner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in HANDED_OUT.glob("*/notebooks/00_start_here.ipynb"):
        mine = laid(path, learner / path.parts[-3], monkeypatch)
        notebook = nbformat.read(mine, as_version=4)
        run_all(notebook, mine.parent)
        assert shortcomings(notebook, nbformat.read(path, as_version=4)) == []
        assert "00_start_here" not in ledger().read()["predictions"]


# --- exercises


def solved(notebook: Notebook, solution: Notebook) -> list[Notebook]:
    """The cells once more, with the model solution of that time in place of what the learner is to write."""
    written = {cell.metadata.nbgrader.grade_id: cell.source for cell in solution.cells if is_solution(cell)}
    cells = deepcopy(notebook.cells)
    for cell in filter(is_solution, cells):
        cell.source = written.pop(cell.metadata.nbgrader.grade_id)
    assert not written
    return cells


def is_solution(cell: Notebook) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


@pytest.mark.in_turn(3)
@pytest.mark.parametrize("path", EXERCISES, ids=name)
def test_an_exercise_handed_out_is_judged_and_its_solution_gets_every_point(
    path: Path, learner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First as it is, then with its functions written, in one kernel, as its learner does it."""
    mine, slug = laid(path, learner, monkeypatch), path.stem
    notebook = nbformat.read(mine, as_version=4)
    solution = nbformat.read(path.parents[2] / "solved" / slug / path.name, as_version=4)
    notebook.cells += solved(notebook, solution)
    notebook.cells.append(nbformat.v4.new_code_cell("score.report.refused"))
    run_all(notebook, mine.parent)
    checks = [cell for cell in notebook.cells if cell.source.startswith("score = check(")]
    points = checks[0].metadata.nbgrader.points
    not_judged, *scores = (float(cell.outputs[-1].data["text/plain"]) for cell in (notebook.cells[-1], *checks))
    assert scores == [0, points - not_judged]
    assert ledger().read()["exercises"][slug]["best"] == points - not_judged
