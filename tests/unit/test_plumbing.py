"""Plumbing in a lesson's cell is told by its kind, and what lessons are about is none."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_plumbing import in_cells, plumbing  # noqa: E402


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("import ctypes", "it imports ctypes, which no lesson teaches"),
        ("import os, matplotlib.pyplot as plt", "it imports matplotlib.pyplot"),
        ("%load_ext udock_lab\nfrom subprocess import run", "it imports subprocess"),
        ("def f():\n    import shutil", "it imports shutil"),
        ("%%sandbox -o x\nfrom multiprocessing.pool import Pool", "it imports multiprocessing.pool"),
        ("from udock_lab.linux.prctl import prctl", "it imports udock_lab.linux.prctl"),
        ("from udock_lab.lesson.experiments import Experiments", "it imports udock_lab.lesson.experiments"),
        ("import sys\nmdock = [sys.executable, '-m', 'udock_lab']", "sys.executable starts a program anew"),
        ("import sys as s\ns.executable", "sys.executable starts a program anew"),
        ("get_ipython().run_line_magic('mdock', 'ps')", "get_ipython reaches for the notebook's shell"),
        ("from time import perf_counter as now\nstart = now()", "time.perf_counter reads a clock"),
        ("import time\ntime.monotonic()", "time.monotonic reads a clock"),
        ("exec(open('helper').read())", "exec runs code made of text"),
        ("for _ in range(200):\n    if os.fork() == 0: work()", "a loop forks (os.fork)"),
        ("def killed():\n    while True:\n        os.kill(pid, 9)", "a loop kills (os.kill)"),
        ("[os.wait() for _ in range(9)]", "a loop waits (os.wait)"),
        ("from time import sleep\nwhile busy(): sleep(0.1)", "a loop sleeps (time.sleep)"),
        ("runs = %mdock ps\nfor pid in pids: os.waitpid(pid, 0)", "a loop waits (os.waitpid)"),
    ],
)
def test_plumbing_is_found_whatever_it_is_called(cell: str, said: str) -> None:
    (first, *_) = plumbing(cell)
    assert first.startswith(said)


@pytest.mark.parametrize(
    "cell",
    [
        "%load_ext udock_lab\nfrom udock_lab.lesson import begin\nlesson = begin('m2_1a_fork')",
        "%%sandbox\nimport os, time\nif os.fork() == 0:\n    time.sleep(1); os._exit(0)\nos.wait();",
        "from udock_lab.display import pictures\nfrom udock_lab.errors import MdockError",
        "for name in names:\n    print(lesson.runtime.run('demo', [name]).exit_code)",
        "task = put_in_order('x', ['import ctypes', 'for _ in range(9): os.fork()'])",
        "%%mdock run demo\nfor n in 1 2; do sleep 1; done",
        "from fcntl import LOCK_EX, flock\nwhile chunk := os.read(0, 9): flock(1, LOCK_EX)",
    ],
)
def test_what_a_lesson_is_about_is_no_plumbing(cell: str) -> None:
    assert plumbing(cell) == []


def test_a_cell_with_plumbing_is_named() -> None:
    cells = [{"cell_type": "markdown", "source": "import ctypes"}, {"cell_type": "code", "source": "import ctypes"}]
    (said,) = in_cells(cells)
    assert said.startswith("cell 2: it imports ctypes")
    assert "udock_lab/lesson/experiments/" in said


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_lesson_has_any(path: Path) -> None:
    assert in_cells(json.loads(path.read_text())["cells"]) == []
