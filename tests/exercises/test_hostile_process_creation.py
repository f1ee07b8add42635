"""Answers to M2.1 that launch nothing, or otherwise than they say, and change the interpreter they run in.

``attacks/m2_1_process_creation/*.py``; ``# earns: 1`` says how many of the two hidden points, for which nobody traces,
the honest part deserves.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from harness import both_halves

from udock_lab import sandbox
from udock_lab.display.text.checks import check_text
from udock_lab.grading import Submission, judge

SLUG = "m2_1_process_creation"
ATTACKS = sorted((Path(__file__).parent / "attacks" / SLUG).glob("*.py"))


@pytest.fixture(scope="session")
def walls() -> None:
    missing = sandbox.run("pass", shut=True).missing_isolation
    if missing:
        pytest.skip(f"needs privilege: walls are refused here: {', '.join(missing)}")


@pytest.mark.usefixtures("walls")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_whoever_launches_nothing_earns_nothing_whatever_they_change(path: Path) -> None:
    source = path.read_text()
    (earns,) = re.findall(r"^# earns: (\d+)$", source, re.MULTILINE)
    _, hidden = both_halves(SLUG)
    report = judge(hidden, Submission(source=source))
    assert report.points <= float(earns), check_text(report)
