"""Answers to M2.2 that lie to whoever asks where they are: the kernel's record tells, and nothing is earned by a lie."""

from __future__ import annotations

import pytest
from harness import both_halves

from udock_lab.grading import Submission, judge
from udock_lab.model import CheckReport

SLUG = "m2_2_chroot_permissions"
LIES_WITH_STAT = """
import glob, os, posix

real = posix.stat

def stat(path, *args, **named):
    if isinstance(path, str) and path.startswith("/proc/") and path.endswith(("/root", "/cwd")):
        path = glob.glob("images/demo-*/rootfs")[0]
    return real(path, *args, **named)

posix.stat = os.stat = stat

def enter(rootfs):
    return "chroot"
"""
MAKES_WHAT_IS_LOOKED_FOR = """
import os

def enter(rootfs):
    for name in os.listdir(rootfs):
        os.makedirs(name, exist_ok=True)
    return "chroot"
"""


@pytest.fixture(autouse=True)
def strace() -> None:
    from udock_lab import sandbox

    if sandbox.run("pass", trace=True, shut=True).untraced:
        pytest.skip("needs privilege: strace may not trace here")


def passed(report: CheckReport) -> set[str]:
    return {judgement.requirement.key for judgement in report.judgements if judgement.passed}


@pytest.mark.parametrize("source", [LIES_WITH_STAT, MAKES_WHAT_IS_LOOKED_FOR], ids=["stat", "folders"])
def test_who_lies_about_its_place_is_not_inside(source: str) -> None:
    public, hidden = both_halves(SLUG)
    earned = passed(judge(public, Submission(source=source)))
    assert not earned & {"root", "cwd", "relative", "asks", "eperm"}
    assert "link" not in passed(judge(hidden, Submission(source=source)))


def test_a_process_that_ends_inside_enter_is_told_with_its_signal() -> None:
    source = "import os, signal\n\ndef enter(rootfs):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    report = judge(both_halves(SLUG)[0], Submission(source=source))
    failed = report.first_failure
    assert failed is not None
    assert "the process ended inside enter, with signal 9" in failed.seen
    assert report.points == 0
