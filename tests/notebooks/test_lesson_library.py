"""The lesson library in a real kernel: Run All, a learner's answers, displays, and what is left afterwards."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

VIEW = "application/vnd.jupyter.widget-view+json"
BEGIN = "%load_ext udock_lab\nfrom udock_lab.lesson import *\nlesson = begin('m2_1a_fork')"
ASK = "lines = predict('lines', 'How many?', {'one': 'no', 'two': 'both return'})\nlines"
RUN = "%%sandbox -o result\nimport os\nos.fork()\nprint('hello')"
SETTLE = "lines.settle({1: 'one', 2: 'two'}.get(len(result.lines)))"
TASK = "task = put_in_order('x', ['print(1)', 'print(2)'], expect='2\\n1\\n', goal='2 comes first')\ntask.try_order(0, 1)"
TICKET = "ticket = exit_ticket(('1 + 1?', 2, 'so it is'), ('word?', 'fork', 'so it is'))"
LESSON = (BEGIN, ASK, RUN, SETTLE, TASK, TICKET, "progress()", "lesson.end()")

Cells = list[Any]
Execute = Callable[..., Cells]


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Runs cells in a kernel of their own; a failing one fails the test unless ``errors``. The learner's home stays."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))

    def run(*sources: str, errors: bool = False) -> Cells:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        NotebookClient(notebook, timeout=60, kernel_name="python3", allow_errors=errors).execute()
        return list(notebook.cells)

    return run


def texts(cell: Any) -> list[str]:
    """The text of each output of a cell; of an error what is shown."""
    found = []
    for output in cell.outputs:
        if output.output_type == "error":
            found.append("\n".join(output.traceback))
        elif set(output.get("data", {})) != {VIEW}:
            found.append(output.get("text") or output["data"]["text/plain"])
    return found


def test_run_all_fails_nowhere_withholds_verdicts_and_leaves_nothing(execute: Execute, tmp_path: Path) -> None:
    cells = execute(*LESSON)
    assert texts(cells[3])[0].startswith("No verdict yet")
    assert texts(cells[4])[1].startswith("Not yet. Wanted: 2 comes first.")
    assert "so it is" not in "".join(texts(cells[5]))
    assert "left running: 0 containers, 0 processes · files: none" in texts(cells[-1])[0]
    assert "predictions: 0 of 1 answered, 0 right" in texts(cells[-1])[0]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_two_executions_say_the_same_text(execute: Execute, tmp_path: Path) -> None:
    def said() -> list[list[str]]:
        shutil.rmtree(tmp_path / ".mdock", ignore_errors=True)
        return [texts(cell) for cell in execute(*LESSON) if not cell.source.startswith("%%sandbox")]

    assert said() == said()


def test_everything_shows_once_and_in_two_forms(execute: Execute) -> None:
    cells = execute(*LESSON)
    shown = [[o for o in cells[place].outputs if set(o["data"]) != {VIEW}] for place in (1, 3, 4, 5, 6, 7)]
    assert [len(outputs) for outputs in shown] == [1, 1, 2, 1, 1, 1]
    for outputs in shown:
        for output in outputs:
            assert {"text/plain", "text/html"} <= set(output["data"])
            assert "<section" in output["data"]["text/html"]


def test_a_learner_who_answers_hears_the_misconception_and_finds_it_in_the_next_kernel(execute: Execute) -> None:
    cells = execute(BEGIN, ASK, "lines.answer('one')", RUN, SETTLE, "ticket = 1", "lesson.end()")
    assert texts(cells[4])[0].splitlines() == [
        "Not what happened. You said one, the machine says two.",
        "  one: no",
        "  two: both return",
    ]
    cells = execute("from udock_lab.lesson import progress\nprogress()", BEGIN, ASK)
    assert re.search(r"\[ *begun *\] m2_1a .* · 1 of 5 answered, 0 right", texts(cells[0])[0])  # and so it is not read
    assert "(x) one" in texts(cells[2])[0]


def test_a_mistake_shows_a_message_and_no_traceback(execute: Execute) -> None:
    mistakes = ("lines.answer('three')", "lines.answer()", "task.try_order(0, 0)", "begin('m2_1_fork')",
                "ticket.answer(1, 2, 3)", "progress().reset('all')", "recorded('nosuch')", "lesson.permits('chrot')")  # fmt: skip
    cells = execute(BEGIN, ASK, TASK, TICKET, *mistakes, errors=True)
    for cell in cells[4:]:
        (shown,) = texts(cell)
        assert shown.startswith("UsageError: ")
        assert "Traceback" not in shown
        assert "\n" in shown  # what to type next


def test_the_magic_uses_the_lesson_s_runtime_with_fork_in_the_picture(execute: Execute) -> None:
    run = "r = %mdock run demo -- /bin/sh -c 'exit 42'\nprint(r.id, r.exit_code, 'fork' in [s.name for s in r.steps])"
    cells = execute(BEGIN, run, BEGIN, run, "lesson.end()")
    assert texts(cells[1])[-1] == texts(cells[3])[-1] == "c1 42 True\n"


def test_a_recording_inside_an_if_is_seen(execute: Execute) -> None:
    cells = execute(f"{BEGIN}\nif True:\n    recorded('m2_2_chroot_root')\nNone")
    assert texts(cells[0])[-1].startswith("Recorded on a machine where this is permitted (not run here)")


def test_buttons_come_with_an_open_question_and_leave_with_the_answer(execute: Execute) -> None:
    cells = execute(BEGIN, ASK, "lines.answer('one')")
    widgets = importlib.util.find_spec("udock_lab.widgets") is not None
    assert [VIEW in output["data"] for output in cells[1].outputs] == [False, True][: 1 + widgets]
    assert [VIEW in output["data"] for output in cells[2].outputs] == [False]


def test_a_ticket_and_a_task_come_with_fields_and_buttons_and_a_solved_ticket_with_none(execute: Execute) -> None:
    cells = execute(BEGIN, TASK.splitlines()[0], TICKET, "ticket.answer(2, 'fork')")
    widgets = importlib.util.find_spec("udock_lab.widgets") is not None
    assert [VIEW in cell.outputs[-1]["data"] for cell in cells[1:]] == [widgets, widgets, False]


def test_in_a_terminal_the_same_calls_show_text(tmp_path: Path) -> None:
    script = tmp_path / "lesson.ipy"
    script.write_text(f"{BEGIN}\n{ASK}\nlines.answer('one')\nlines.settle('two')\nlesson.end()\n")
    env = os.environ | {"HOME": str(tmp_path)}
    command = [sys.executable, "-m", "IPython", "--colors=nocolor", str(script)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "(x) one" in done.stdout
    assert "Not what happened. You said one, the machine says two." in done.stdout
    assert "left running: 0 containers" in done.stdout
    assert "<section" not in done.stdout
