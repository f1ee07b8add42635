"""The lesson on chroot beyond its outputs: its recordings are real runs of its cells, its task has the order it says."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab.lesson.experiments import roots
from udock_lab.lesson.recordings import recorded

ROOT = Path(__file__).resolve().parents[2]
LESSON = ROOT / "notebooks" / "m2_2_chroot_permissions.ipynb"
NOT_POSSIBLE = 77
TRY_ORDER = """
import sys
from udock_lab.lesson import put_in_order
source, order = sys.argv[1].split("task.try_order")[0], sys.argv[2].split()
exec(source)
sys.exit(0 if task.try_order(*map(int, order)).solved else 1)
"""


def code() -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(LESSON.read_text())["cells"] if cell["cell_type"] == "code"]


def cell_with(words: str) -> str:
    return next(source for source in code() if words in source)


def solved(order: str, who: str, home: Path) -> bool:
    """Whether that order solves the task for root, or for an ordinary user."""
    home.chmod(0o777)
    command = [sys.executable, str(ROOT / "scripts/with_privilege.py"), who, sys.executable, "-c", TRY_ORDER]
    env = os.environ | {"HOME": str(home)}
    words = [*command, cell_with('put_in_order("enter"'), order]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    if done.returncode == NOT_POSSIBLE:
        pytest.skip(f"needs privilege: {done.stderr.strip()}")
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0


@pytest.mark.parametrize("who", ["root", "user"])
def test_entering_and_then_giving_root_up_solves_the_task(who: str, tmp_path: Path) -> None:
    assert solved("0 3 4 2 1", who, tmp_path)


@pytest.mark.parametrize("order", ["0 2 3 4 1", "0 3 4 1 2", "0 3 1 4 2", "0 1 2 3 4"])
def test_root_that_gives_up_too_early_or_too_late_does_not_solve_it(order: str, tmp_path: Path) -> None:
    assert not solved(order, "root", tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("outside", "the same folder: False"),
        ("unchanged", "ended from inside, by signal 15"),
        ("escape", "out again"),
        ("held", "no way out"),
        ("lone", "ELF loader"),
        ("chroot_root", "chroot: the program's / is the image"),
        ("chroot_userns", "chroot inside a user namespace"),
    ],
)
def test_where_chroot_is_refused_the_recording_says_what_the_cell_would_have_shown(name: str, words: str) -> None:
    assert words in repr(recorded(f"m2_2_{name}"))
    shown = "\n".join([*code(), inspect.getsource(roots)])  # a cell runs it as_root, or an experiment of the package does
    assert f"lesson.as_root({name})" in shown or f'"{name}"' in shown or f"_{name}" in shown
