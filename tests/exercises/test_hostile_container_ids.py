"""Answers to M2.3 that take no lock and change the interpreter they run in: what earns points is seen from outside it.

``attacks/m2_3_container_ids/*.py``; ``# earns: 4`` says how many points the honest part deserves at most.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab import sandbox
from udock_lab.display.text.checks import check_text
from udock_lab.grading import Submission, judge
from udock_lab.grading.sources import exercise

ATTACKS = sorted((Path(__file__).parent / "attacks/m2_3_container_ids").glob("*.py"))
KERNELS = {"waits", "many"}  # without a lock neither can hold


@pytest.fixture(scope="session")
def walls() -> None:
    missing = sandbox.run("pass", shut=True).missing_isolation
    if missing:
        pytest.skip(f"needs privilege: walls are refused here: {', '.join(missing)}")


@pytest.mark.usefixtures("walls")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_whoever_takes_no_lock_earns_nothing_for_one_whatever_they_change(path: Path) -> None:
    source = path.read_text()
    (earns,) = re.findall(r"^# earns: (\d+)$", source, re.MULTILINE)
    report = judge(exercise("m2_3_container_ids"), Submission(source=source))
    held = {judgement.requirement.key for judgement in report.judgements if judgement.passed}
    assert report.points <= float(earns), check_text(report)
    assert held & KERNELS != KERNELS, check_text(report)


ON_ONE_PROCESSOR = """
import os, sys
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from udock_lab.grading import Submission, judge
from udock_lab.grading.sources import exercise
report = judge(exercise("m2_3_container_ids"), Submission(source=sys.stdin.read()))
print(*(one.requirement.key for one in report.judgements if not one.passed))
"""


@pytest.mark.usefixtures("walls")
@pytest.mark.timeout(300)
def test_where_one_process_runs_at_a_time_nobody_gets_a_point_by_good_luck() -> None:
    """On one processor fifty processes that no lock keeps apart seldom meet."""
    answer = (Path(__file__).parent / "attacks/m2_3_container_ids/asks_and_lets_go.py").read_text()
    judged = subprocess.run([sys.executable, "-c", ON_ONE_PROCESSOR], input=answer, capture_output=True, text=True)
    assert judged.stdout.split() == ["reads", "many"], judged.stderr
