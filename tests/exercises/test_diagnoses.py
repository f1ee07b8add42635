"""What a report says of a failure fits to what it says was seen: mistakes that newcomers were misled about."""

from __future__ import annotations

import pytest
from harness import CORPUS

from udock_lab.grading.checking import judge
from udock_lab.grading.sources import exercise
from udock_lab.grading.submission import Submission

NO_FINALLY = """
import os
from udock_lab.grading import ExitInfo

def launch(argv):
    pid = os.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    return ExitInfo(code=os.WEXITSTATUS(os.waitpid(pid, 0)[1]))
"""
NO_WAY_HOME = """
import os
from udock_lab.grading import ExitInfo

def run(argv):
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(argv[0], argv)
        finally:
            os._exit(127)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(signal=os.WTERMSIG(status)) if os.WIFSIGNALED(status) else ExitInfo(code=os.WEXITSTATUS(status))
"""
READS_FIRST = (CORPUS / "m2_3_container_ids" / "wrong_reads_first.py").read_text()
IS_INHERITED = (CORPUS / "m2_3_container_ids" / "wrong_opened_before_fork.py").read_text()


@pytest.mark.parametrize(
    ("slug", "answer", "key", "seen", "looks_like"),
    [
        ("m2_1_process_creation", NO_FINALLY, "many", "ExitInfo(code=0)", "WEXITSTATUS read without asking"),
        ("m2_3_container_ids", READS_FIRST, "many", "", "the table read before the lock was there"),
        ("m2_3_container_ids", IS_INHERITED, "many", "", "a lock file opened before fork"),
        ("m2_6_exec_failure", NO_WAY_HOME, "pipe", "none", "nothing is open at the fork that both processes then"),
    ],
)
def test_what_it_looks_like_belongs_to_what_was_seen(
    slug: str, answer: str, key: str, seen: str, looks_like: str
) -> None:
    report = judge(exercise(slug), Submission(source=answer), at_once=2)
    [judgement] = [one for one in report.judgements if one.requirement.key == key]
    assert judgement.passed is False
    assert seen in judgement.seen
    assert judgement.looks_like.startswith(looks_like)
