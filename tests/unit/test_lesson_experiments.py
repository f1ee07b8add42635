"""The experiments of a lesson: real processes, what they found in text and HTML, and the program that ran."""

from __future__ import annotations

import ast
import inspect
from itertools import pairwise
from pathlib import Path

import pytest

from udock_lab import sandbox
from udock_lab.errors import MdockError, UsageError
from udock_lab.lesson.experiments import PROGRAMS, Experiments, programs
from udock_lab.lesson.experiments.programs import racing
from udock_lab.lesson.experiments.running import play

ALONE = {"__future__", "errno", "fcntl", "os", "random", "resource", "signal", "sys", "time"}


@pytest.fixture(scope="module")
def lesson() -> Experiments:
    return Experiments()


# --- every one of them


@pytest.mark.parametrize("path", sorted(Path(programs.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_a_program_stands_alone_so_that_what_is_read_is_what_ran(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    assert names | {node.module for node in nodes if isinstance(node, ast.ImportFrom)} <= ALONE


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_source_of_an_experiment_is_one_call_away(lesson: Experiments, name: str) -> None:
    shown = lesson.source(getattr(lesson, name))
    assert shown.text == lesson.source(name).text == inspect.getsource(PROGRAMS[name])
    assert '"""' in repr(shown) and f"lesson.{name}" in repr(shown)


def test_a_source_that_is_not_there_is_said_with_the_nearest(lesson: Experiments) -> None:
    with pytest.raises(UsageError, match="Did you mean 'race'"):
        lesson.source("rac")
    with pytest.raises(UsageError, match="source knows no experiment"):
        lesson.source(print)


def test_a_program_that_fails_is_no_finding_of_nothing() -> None:
    with pytest.raises(MdockError, match="did not come to its end") as caught:
        play(racing, "race('no lock', 'many', 0)")
    assert "TypeError" in caught.value.hint


# --- races


def test_only_a_lock_of_ones_own_before_reading_makes_ids_unique(lesson: Experiments) -> None:
    found = lesson.race(processes=30)
    assert found.different.pop(racing.BEFORE) == 30
    assert set(found.different) == {*racing.WAYS} - {racing.BEFORE}
    assert max(found.different.values()) < 30
    assert found.kept[racing.ITSELF] < 30 == found.kept[racing.NO_LOCK]
    assert "picture" not in found._repr_html_() and "<svg" not in found._repr_html_()


def test_a_small_race_is_drawn_and_its_picture_says_in_words_who_took_what(lesson: Experiments) -> None:
    found = lesson.race(racing.NO_LOCK, racing.BEFORE, processes=3)
    assert found.ids(racing.BEFORE) == "c1 c2 c3"
    assert found.ids(racing.NO_LOCK) == "c1 c1 c1"
    steps = found.taken[racing.BEFORE]
    assert all(one.ended <= after.began for one, after in pairwise(steps))
    shown = found._repr_html_()
    assert "no lock: takes c1, takes c1, takes c1; lock before reading: takes c1, takes c2, takes c3" in shown
    assert "<svg" in shown and "<details><summary>the program that ran</summary>" in shown
    assert "flock(lock, LOCK_EX)" in shown
    assert "lesson.source(lesson.race)" in repr(found)


def test_a_way_that_is_misspelt_is_said_before_anything_runs(lesson: Experiments) -> None:
    with pytest.raises(UsageError, match="Did you mean 'lock after reading'"):
        lesson.race("lock after readin")


def test_what_is_forked_by_a_race_is_gone_afterwards() -> None:
    run = sandbox.run(f"{inspect.getsource(racing)}\n__value__ = race('no lock', 4, 0)", processes=30)
    assert len(run.processes) == 5
    assert not any(process.leftover for process in run.processes)
