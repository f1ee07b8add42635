"""The judge of M2.7: one mistake costs what it is worth, and what a runner says cannot stand for what it did."""

from __future__ import annotations

import os
import time

import pytest
from harness import CORPUS, both_halves

from udock_lab.grading import Submission, judge
from udock_lab.grading.exercises.m2_7_mdock_run.stage import polls, waits
from udock_lab.model import CheckReport

SLUG = "m2_7_mdock_run"
RIGHT = (CORPUS / SLUG / "right_as_in_the_lessons.py").read_text()
FORGED = """
from udock_lab.grading.exercises.m2_7_mdock_run import runners, stage
import os

def run(home, image, argv):
    return None

def says_what_is_wanted(run, home, image, argv):
    code = int(argv[-1].rpartition("exit ")[2]) if "exit " in argv[-1] else 0
    return {"how": "returned", "kind": "ExitInfo", "mro": ["ExitInfo"], "shown": "", "plain": [[code, None, None]]}

runners.said = says_what_is_wanted
os.stat = os.listdir = os.readlink = lambda *words, **more: None
stage.take = lambda path: "1\\n"
"""


def judged(source: str) -> CheckReport:
    return judge(both_halves(SLUG)[0], Submission(source=source), at_once=4)


def failed(report: CheckReport) -> list[str]:
    return [one.requirement.key for one in report.judgements if not one.passed]


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("raise LookupError(image)", "missing", "the text differs"),
        ("raise KeyError(image)", "missing", "the text differs"),
        ("raise Exception(image)", "missing", "another kind of error"),
    ],
)
def test_one_wrong_text_costs_one_point(text: str, key: str, words: str) -> None:
    report = judged(RIGHT.replace("""raise LookupError(f"Image '{image}' not found")""", text))
    assert failed(report) == [key]
    assert report.first_failure is not None
    assert words in report.first_failure.looks_like
    assert f"your line 22: {text}" in report.first_failure.seen


def test_key_error_with_the_right_text_is_a_lookup_error() -> None:
    assert failed(judged(RIGHT.replace("raise LookupError(", "raise KeyError("))) == []


def test_an_answer_that_replaces_the_witness_earns_nothing() -> None:
    report = judged(FORGED)
    assert report.points == 0


def test_the_check_warns_of_a_gate_that_opens_at_the_end_of_file() -> None:
    report = judged((CORPUS / SLUG / "wrong_gate_reads_at_the_end.py").read_text())
    assert failed(report) == []
    assert any("Requirement 10" in note for note in report.notes)


@pytest.mark.forks
def test_a_child_at_a_pipe_waits_and_one_that_looks_again_and_again_polls() -> None:
    reads, writes = os.pipe()
    pids = []
    for act in (lambda: os.read(reads, 1), _look_again_and_again):
        if (pid := os.fork()) == 0:
            act()
            os._exit(0)
        pids.append(pid)
    try:
        tries = 200
        while tries and not (waits(pids[0]) and polls(pids[1])):
            tries -= 1
        assert tries
        assert not waits(pids[1])
    finally:
        for pid in pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        os.close(reads)
        os.close(writes)


def _look_again_and_again() -> None:
    while True:
        time.sleep(0.005)
