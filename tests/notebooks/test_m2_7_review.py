"""The review: its C twin is a real `run`, and its task has the order that the text promises."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from udock_lab.lesson import put_in_order

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
GCC = shutil.which("gcc")


@pytest.fixture
def twin(tmp_path: Path) -> Path:
    """The C program, in a folder with one image: the machine's own root."""
    if GCC is None:
        pytest.skip("needs privilege: a C compiler is installed by whoever may")
    source = NOTEBOOKS / "c" / "m2_7_review.c"
    assert len(source.read_text().splitlines()) <= 60
    subprocess.run([GCC, "-Wall", "-Wextra", "-Werror", "-O2", "-o", tmp_path / "run", source], check=True)
    (tmp_path / "images.db").write_text("dem|/nowhere|\ndemo|/|2026-01-01T00:00:00\n")
    return tmp_path


def test_the_c_twin_hands_on_the_exit_code_and_records_it(twin: Path) -> None:
    for program, code in (("exit 42", 42), ("kill -9 $$", 137)):
        assert subprocess.run(["./run", "demo", "/bin/sh", "-c", program], cwd=twin).returncode == code
    assert subprocess.run(["./run", "demo", "/no/such/program"], cwd=twin).returncode == 127
    rows = [line.split("|") for line in (twin / "containers.db").read_text().splitlines()]
    assert [(row[0], row[3], row[6]) for row in rows] == [
        ("c1", "exited", "42"), ("c2", "exited", "137"), ("c3", "exited", "127"),
    ]  # fmt: skip


def test_the_c_twin_names_an_image_that_is_missing_and_records_nothing(twin: Path) -> None:
    done = subprocess.run(["./run", "nosuchimage", "/bin/true"], cwd=twin, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (125, "Image 'nosuchimage' not found\n")
    assert not (twin / "containers.db").exists()


def test_simultaneous_runs_of_the_c_twin_take_different_ids_and_keep_foreign_lines(twin: Path) -> None:
    (twin / "containers.db").write_text("not a record\n")
    runs = [subprocess.Popen(["./run", "demo", "/bin/sh", "-c", "exit 3"], cwd=twin) for _ in range(20)]
    assert [started.wait(30) for started in runs] == [3] * 20
    lines = (twin / "containers.db").read_text().splitlines()
    assert "not a record" in lines
    assert {line.split("|")[0] for line in lines if "|" in line} == {f"c{number}" for number in range(1, 21)}


def test_the_task_is_solved_by_lookup_then_fork_then_record_then_gate_and_by_nothing_else_nearby() -> None:
    cells = json.loads((NOTEBOOKS / "m2_7_review.ipynb").read_text())["cells"]
    source = next(text for text in ("".join(cell["source"]) for cell in cells) if text.startswith("task ="))
    lesson: dict[str, Any] = {"put_in_order": put_in_order}
    exec(source.rpartition("task.try_order")[0], lesson)
    task = lesson["task"]
    assert task.try_order(0, 1, 3, 2, 4, 6, 5, 7).solved
    assert not task.try_order(0, 1, 2, 3, 4, 6, 5, 7).solved  # fork before lookup: the child goes through the loop too
    assert not task.try_order(0, 1, 3, 2, 4, 5, 6, 7).solved  # the gate before the record
