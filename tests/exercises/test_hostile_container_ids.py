"""Answers to M2.3 that take no lock and change the interpreter they run in: what earns points is seen from outside it.

``attacks/m2_3_container_ids/*.py``; ``# earns: 4`` says how many points the honest part deserves at most.
"""

from __future__ import annotations

import re
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
