"""M2.2 is judged by a process that never loaded the answer: what it sees of another one is told as it was."""

from __future__ import annotations

import pytest
from harness import both_halves

from udock_lab.display.text.checks import check_text
from udock_lab.grading import Submission, judge

SLUG = "m2_2_chroot_permissions"


def test_a_process_that_ends_inside_enter_is_told_with_its_signal() -> None:
    source = "import os, signal\n\ndef enter(rootfs):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    report = judge(both_halves(SLUG)[0], Submission(source=source))
    failed = report.first_failure
    assert failed is not None
    assert "the process ended inside enter, with signal 9" in failed.seen
    assert report.points == 0


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "x = 1\ny = 1 / 0\n\ndef enter(rootfs):\n    return 'chdir'\n",
            "ZeroDivisionError: division by zero (your line 2",
        ),
        ("def go_in(rootfs):\n    pass\n", "NameError: name 'enter' is not defined"),
    ],
)
def test_an_answer_that_cannot_be_loaded_is_told_with_its_own_line(source: str, words: str) -> None:
    report = judge(both_halves(SLUG)[0], Submission(source=source))
    assert report.first_failure is not None
    assert words in report.first_failure.seen, check_text(report)
    assert report.points == 0


def test_an_error_text_of_any_length_is_an_error_all_the_same() -> None:
    source = "def enter(rootfs):\n    raise ValueError('x' * 10_000_000)\n"
    report = judge(both_halves(SLUG)[0], Submission(source=source))
    assert report.first_failure is not None
    assert "enter raised ValueError: xxx" in report.first_failure.seen
