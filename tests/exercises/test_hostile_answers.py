"""Answers that change the interpreter they run in, and whatever they find in it: none earns more than its honest part.

``attacks/SLUG/*.py``. ``# earns: 4`` says how many points the honest part deserves at most, ``# earns in the hidden
half: 1`` the same of what is judged when it is handed in, and ``# never both: waits, many`` what cannot hold together.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from harness import answers, both_halves

from udock_lab import sandbox
from udock_lab.display.text.checks import check_text
from udock_lab.grading import Submission, judge

ATTACKS = sorted((Path(__file__).parent / "attacks").glob("*/*.py"))
HALVES = {"earns": 0, "earns in the hidden half": 1}
LEAST = 6  # of each exercise


@pytest.fixture(scope="session")
def walls() -> None:
    missing = sandbox.run("pass", shut=True).missing_isolation
    if missing:
        pytest.skip(f"needs privilege: walls are refused here: {', '.join(missing)}")


@cache
def refused(slug: str, half: int) -> float:
    """Points that nobody can earn or lose here: no answer makes them more."""
    right = next(answer for answer in answers(slug) if answer.right)
    return judge(both_halves(slug)[half], Submission(source=right.source), at_once=2).refused


@pytest.mark.in_turn(4)
@pytest.mark.usefixtures("walls")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_whoever_changes_the_interpreter_earns_what_the_honest_part_is_worth(path: Path) -> None:
    source = path.read_text()
    said = dict(re.findall(r"^# (earns|earns in the hidden half|never both): (.+)$", source, re.MULTILINE))
    halves = both_halves(path.parent.name)
    for words in HALVES.keys() & said.keys():
        report = judge(halves[HALVES[words]], Submission(source=source), at_once=2)
        assert report.points <= float(said[words]), check_text(report)
        held = {judgement.requirement.key for judgement in report.judgements if judgement.passed}
        never = set(said.get("never both", "nothing").split(", "))
        assert held & never != never, check_text(report)
        assert report.refused == refused(path.parent.name, HALVES[words]), check_text(report)


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
    (path,) = (path for path in ATTACKS if path.stem == "asks_and_lets_go")
    argv = [sys.executable, "-c", ON_ONE_PROCESSOR]
    judged = subprocess.run(argv, input=path.read_text(), capture_output=True, text=True)
    assert judged.stdout.split() == ["reads", "many"], judged.stderr


def test_each_exercise_with_a_referee_has_attacks_of_several_kinds_and_each_says_what_it_earns() -> None:
    slugs = [path.parent.name for path in ATTACKS]
    assert [slug for slug in sorted(set(slugs)) if slugs.count(slug) < LEAST] == []
    assert {
        "m2_1_process_creation",
        "m2_2_chroot_permissions",
        "m2_3_container_ids",
        "m2_5_image_lookup",
        "m2_6_exec_failure",
    } <= set(slugs)
    assert [
        path.stem
        for path in ATTACKS
        if not re.search(r"^# earns( in the hidden half)?: \d+$", path.read_text(), re.MULTILINE)
    ] == []
