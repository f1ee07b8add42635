"""The lesson in a fresh kernel: with the privileges of whoever runs the tests, and with none at all."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LESSON = Path(__file__).resolve().parents[2] / "notebooks" / "m2_1b_exec_and_wait.ipynb"
EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
lesson = nbformat.read(sys.argv[1], 4)
NotebookClient(lesson, timeout=60, kernel_name="python3").execute()
nbformat.write(lesson, sys.argv[2])
"""
NO_PRIVILEGE = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")

Cells = list[dict[str, Any]]
Execute = Callable[..., Cells]


@pytest.fixture
def execute(tmp_path: Path) -> Execute:
    """Runs a notebook in a kernel of its own, behind the words of ``prefix``; its code cells afterwards."""

    def run(cells: Cells | None = None, prefix: tuple[str, ...] = ()) -> Cells:
        source, target = tmp_path / "lesson.ipynb", tmp_path / "executed.ipynb"
        lesson = json.loads(LESSON.read_text())
        source.write_text(json.dumps(lesson | {"cells": cells or lesson["cells"]}))
        env = os.environ | {"HOME": str(tmp_path)}
        words = [*prefix, sys.executable, "-c", EXECUTE, str(source), str(target)]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        return [cell for cell in json.loads(target.read_text())["cells"] if cell["cell_type"] == "code"]

    return run


def committed() -> Cells:
    return list(json.loads(LESSON.read_text())["cells"])


def only(cells: Cells, *words: str) -> Cells:
    """The first code cell, and those that hold one of these words."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return code[:1] + [cell for cell in code[1:] if any(word in "".join(cell["source"]) for word in words)]


def said(cells: Cells) -> str:
    """All that the cells show as text."""
    parts = []
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        parts += output.get("text", []) or output.get("data", {}).get("text/plain", [])
    return "".join(parts)


def changed(old: str, new: str) -> Cells:
    """The committed lesson with one piece of one line changed, as its learner would."""
    cells = committed()
    hits = [cell for cell in cells if old in "".join(cell["source"]) and cell["cell_type"] == "code"]
    assert len(hits) == 1, f"{old!r} is in {len(hits)} cells"
    hits[0]["source"] = ["".join(hits[0]["source"]).replace(old, new)]
    return cells


def test_lesson_runs_top_to_bottom_and_leaves_nothing_running(execute: Execute) -> None:
    text = said(execute())
    assert "The record says 42 because the kernel said 10752." in text
    assert "state before waitpid: Z" in text
    assert "left running: 0 containers, 0 processes · files: none" in text


def test_without_privilege_the_lesson_says_that_chroot_was_refused_and_shows_no_chdir_that_was_not_called(
    execute: Execute,
) -> None:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("needs privilege: setpriv is installed by whoever may")
    text = said(execute(prefix=NO_PRIVILEGE if os.geteuid() == 0 else ()))
    assert "The record says 42 because the kernel said 10752." in text
    assert "chroot failed (need root). Running with chdir only." in text
    assert "= -1 EPERM" in text
    assert "left running: 0 containers, 0 processes" in text
    (step,) = [line for line in text.splitlines() if 'chdir("/")' in line]
    assert "skipped" in step
    assert "= 0" not in step


def test_put_in_order_task_is_unsolved_as_given_and_solved_by_the_hidden_answer(execute: Execute) -> None:
    assert "Not yet." in said(committed())
    cells = changed("try_order(0, 1, 2, 3, 4, 5, 6)", "try_order(0, 1, 3, 2, 4, 5, 6)")
    text = said(execute(only(cells, "try_order")))
    assert "parent: 42" in text
    assert "That is the order" in text


@pytest.mark.in_turn(3)
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("exit 300", "exit 300: raw 11264, a shell shows 44"),
        ("kill -TERM $$", "kill -TERM $$: raw 15, a shell shows 143"),
        ("nosuch", "nosuch: raw 32512, a shell shows 127"),
    ],
)
def test_the_line_to_change_takes_the_suggested_values(execute: Execute, words: str, shown: str) -> None:
    cells = changed('last_words = "exit 256"', f'last_words = "{words}"')
    assert shown in said(execute(only(cells, "last_words")))
