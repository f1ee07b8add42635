"""A referee never loads the answer: what the answer changes in its own interpreter changes no verdict."""

from __future__ import annotations

import textwrap

import pytest

from udock_lab.grading import Submission, judge
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.sources import exercise
from udock_lab.model import CheckReport

TRUNCATES = """
import time

def save(db, record):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.start_time))
    try:
        old = open(db, "rb").read()
    except FileNotFoundError:
        old = b""
    gap = b"" if old[-1:] in (b"", b"\\n") else b"\\n"
    with open(db, "ab") as file:
        file.write(gap + f"{record.id}|{record.pid}|{record.image}|running|{stamp}||\\n".encode())

def update(db, container_id, status, end_time, exit_code):
    lines = open(db, "rb").read().split(b"\\n")
    for at, line in enumerate(lines):
        fields = line.split(b"|")
        if len(fields) == 7 and fields[0] == container_id.encode():
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(end_time))
            lines[at] = b"|".join([*fields[:3], status.encode(), fields[4], stamp.encode(), b"%d" % exit_code])
            with open(db, "wb") as file:
                file.write(b"\\n".join(lines))
            return
    raise LookupError(container_id)
"""
LIES = {
    "the referee's own functions": """
        import udock_lab.grading.tablewatch as watching
        watching._Look.__call__ = lambda self, name: None
        watching.content = lambda path: None
        watching.TableWatch.steps = lambda *_, **__: {"stops": [], "stepped": True}
        import udock_lab.linux.stepping as stepping
        stepping.step_by_step = lambda *_, **__: 0
        """,
    "json, os and builtins": """
        import builtins, json, os, sys
        real = os._exit
        json.dumps = lambda *_, **__: "[]"
        json.loads = lambda *_, **__: []
        os.listdir = lambda *_: []
        os.fork = os.kill = os.waitpid = lambda *_: 0
        builtins.repr = lambda _: "nothing"
        """,
    "who looks on": """
        import os, signal
        for name in ("SIGSTOP", "SIGTERM"):
            try:
                os.kill(os.getppid(), 0)
            except OSError:
                pass
        try:
            with open(f"/proc/{os.getppid()}/mem", "rb+", buffering=0) as memory:
                memory.seek(0)
        except OSError:
            pass
        """,
}


@pytest.fixture(scope="module")
def metadata() -> Exercise:
    return exercise("m2_4_metadata")


def _failed(report: CheckReport) -> list[str]:
    return [judgement.requirement.key for judgement in report.judgements if judgement.passed is False]


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_an_answer_that_patches_the_judge_is_judged_as_it_would_be_without(metadata: Exercise, lie: str) -> None:
    honest = judge(metadata, Submission(source=TRUNCATES), at_once=2)
    lying = judge(metadata, Submission(source=textwrap.dedent(lie) + TRUNCATES), at_once=2)
    assert "whole" in _failed(honest) + [j.requirement.key for j in honest.judgements if j.refused]
    assert lying.points <= honest.points
    assert set(_failed(honest)) <= {j.requirement.key for j in lying.judgements if not j.passed}


def test_functions_of_a_notebook_are_judged_like_a_source(metadata: Exercise) -> None:
    names: dict[str, object] = {}
    exec(compile(TRUNCATES, "<ipython-input-1>", "exec"), names)
    functions = {name: names[name] for name in metadata.functions}
    told = judge(metadata, Submission(functions=functions), at_once=2)  # type: ignore[arg-type]
    assert _failed(told) == _failed(judge(metadata, Submission(source=TRUNCATES), at_once=2))
