"""Work that outlives the machine, in real kernels: exported on one, dropped beside the notebook on another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from users_kernel import UsersKernel

BEGIN = "%load_ext udock_lab\nfrom udock_lab.lesson import *\nlesson = begin({!r})"
ASK = "lines = predict('lines', 'How many?', {'one': 'no', 'two': 'both return'})\nlines"


class Machine:
    """A machine with the course on it, and a kernel whose notebook lies in the course's folder."""

    def __init__(self, place: Path) -> None:
        self.home, self.course = place / "home", place / "course"
        self.home.mkdir(parents=True)
        made = [sys.executable, "-m", "udock_lab.course", "start", "--no-open", str(self.course)]
        subprocess.run(made, check=True, capture_output=True, env=os.environ | {"HOME": str(self.home)})
        self.kernel = UsersKernel(self.home)
        assert self.kernel.run(f"import os; os.chdir({str(self.course)!r})").status == "ok"


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    both = Machine(tmp_path / "one"), Machine(tmp_path / "another")
    yield both
    for machine in both:
        machine.kernel.run("lesson.end()")
        machine.kernel.close()


def test_an_export_that_is_dropped_beside_the_notebook_is_named_and_brings_the_answers_back(
    machines: tuple[Machine, Machine],
) -> None:
    one, another = machines
    assert "some minutes after" not in one.kernel.run(BEGIN.format("00_start_here")).stdout  # a machine that stays
    one.kernel.run(BEGIN.format("m2_1a_fork"))
    one.kernel.run(f"{ASK}.answer('two')")
    assert "Your work, in one file" in one.kernel.run("lesson.export()").plain
    (exported,) = one.course.glob("*.udock")
    assert exported.name not in one.kernel.run(BEGIN.format("m2_1a_fork")).stdout  # it was made here

    shutil.copy(exported, another.course)
    said = another.kernel.run(BEGIN.format("m2_1a_fork")).stdout
    assert f"{exported.name} lies here and was not brought in yet: lesson.import_()" in said
    assert "Your answer is locked" not in another.kernel.run(ASK).plain
    back = another.kernel.run("lesson.import_()")
    assert (back.status, "Your work is back" in back.plain) == ("ok", True)
    assert "two" in another.kernel.run(ASK).plain.partition("locked")[2]
    again = another.kernel.run("lesson.import_()")
    assert again.ename == "NotFound"
    assert "was not brought in already" in again.error
    assert exported.name not in another.kernel.run(BEGIN.format("m2_1a_fork")).stdout


def test_the_first_lesson_says_where_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINDER_SERVICE_HOST", "mybinder.org")
    kernel = UsersKernel(tmp_path / "home")
    try:
        first, later = (kernel.run(BEGIN.format(slug)).stdout for slug in ("00_start_here", "m2_1a_fork"))
    finally:
        kernel.run("lesson.end()")
        kernel.close()
    assert "This machine is Binder's: some minutes after you leave it is gone, and your work with it." in first
    assert "lesson.export() gives you a file to keep" in first
    assert "some minutes after" not in later
