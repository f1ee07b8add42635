"""Workers have the answer in them, and nobody else: none reads the referee's memory or speaks for another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import worker_scenes as scenes

from udock_lab.grading import Submission
from udock_lab.model import SandboxResult

ANSWER = """
import builtins
builtins.marker = True

def next_id(db):
    return "c1"

def allocate(db):
    return "c1"
"""


def play(scene: Callable[..., object], answer: Submission | None = None, **options: Any) -> SandboxResult:
    submission = answer or Submission(source=ANSWER)
    values: Mapping[str, object] = {}
    return submission.play(scene, ("next_id", "allocate"), values, apart=True, trace=False, watch=False, **options)


@pytest.mark.parametrize("by", ["source", "functions"])
def test_the_answer_is_loaded_in_workers_alone(by: str) -> None:
    def function(db: str) -> str:
        return "c1"

    functions = Submission(functions={"next_id": function, "allocate": function})
    result = play(scenes.who_loads, functions if by == "functions" else None)
    assert isinstance(result.value, dict), result.verdict
    assert result.value["here"] is False
    assert result.value["there"] == [by == "source", "str"]


def test_a_worker_can_neither_trace_its_referee_nor_read_its_memory() -> None:
    assert play(scenes.seized).value == []


def test_words_are_heard_as_those_of_the_process_that_sent_them_and_all_end() -> None:
    result = play(scenes.foreign_words)
    assert isinstance(result.value, dict), result.verdict
    assert result.value["one"]["done"] == "mine"
    assert "done" not in result.value["other"]
    assert [process for process in result.processes if process.leftover] == []


def test_whoever_opens_a_file_with_a_lease_is_stopped_until_it_is_let_on() -> None:
    assert play(scenes.stopped).value == {"given": True, "came": False, "stops": True, "after": True}


def test_questions_come_as_they_were_asked_to_the_worker_that_they_are_for_and_nobody_else() -> None:
    result = play(scenes.questions)
    assert isinstance(result.value, dict), result.verdict
    assert result.value["heard"] == [["bytes", "str"], [b"\xff\n", "text \udcff"], [0]]
    assert result.value["stolen"] == [["for another"], 2], "an own end, and the one that words go to"
    assert result.value["status"] == 0


def test_an_answer_that_cannot_be_loaded_ends_the_scene_with_its_own_traceback() -> None:
    result = play(scenes.who_loads, Submission(source="x = 1\ny = 1 / 0\n"))
    assert result.value is None
    assert result.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert "line 2" in result.stderr
    assert "workers.py" not in result.stderr


def test_an_answer_without_the_function_is_told_its_name() -> None:
    result = play(scenes.who_loads, Submission(source="def next_id(db):\n    return 1\n"))
    assert result.stderr.splitlines()[-1] == "NameError: name 'allocate' is not defined"
