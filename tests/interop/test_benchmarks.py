"""``make bench`` in small: each row is measured, each goal answered. No time is judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from report import GOALS, Goal, Measured, table, verdicts  # noqa: E402

SHORT = ["--quick", "--runs", "2", "--usual-priority"]


def short_run() -> str:
    command = [sys.executable, str(BENCHMARKS / "launch.py"), *SHORT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_short_run_has_every_row_and_answers_every_goal(home: Path) -> None:
    said = short_run()
    heading, rows, goals = said.strip().split("\n\n")
    assert re.search(r"usual priority; homes on \w+ \(/", heading)
    measured = {line.split("  ")[0] for line in rows.splitlines() if re.search(r"\d", line)}
    ours = {goal.row for goal in GOALS if not goal.row.startswith("run, heap")}
    assert ours <= measured
    assert sum(name.startswith("run, heap of") for name in measured) == 2
    assert {"floor", "python3 -c pass", "launcher's memory (PSS)"} <= measured
    answers = [re.match(r"met|NOT MET|not measured", line) for line in goals.splitlines()]
    assert len(answers) >= len(GOALS) and all(answers)
    alone = [line for line in goals.splitlines() if line.startswith("not measured")]
    missing = ("bubblewrap", "crun", "runc", "podman", "earlier")  # what this machine may lack
    assert [line for line in alone if not any(name in line for name in missing)] == []


@pytest.mark.parametrize(
    ("goal", "answer"),
    [
        (Goal("ours", "theirs", 1.0), "met           ours, beside theirs"),
        (Goal("ours", "earlier", 0.85), "NOT MET       ours, beside earlier"),
        (Goal("ours", "absent", 1.0), "not measured  ours, beside absent"),
        (Goal("ours", "", 3), "met           ours"),
        (Goal("ours", "", 1), "NOT MET       ours"),
    ],
)
def test_a_goal_is_met_or_not_met_or_not_measured(goal: Goal, answer: str) -> None:
    measured = Measured({"ours": [2_000_000], "theirs": [2_500_000]}, {"ours": [2_000_000]})
    assert verdicts(measured, [goal]).splitlines()[0].startswith(answer)


def test_what_has_no_goal_beside_the_earlier_version_is_not_to_be_slower() -> None:
    measured = Measured({"ours": [3_000, 2_000]}, {"ours": [2_000]})
    assert verdicts(measured, []).startswith("NOT MET       ours, beside earlier")


def test_the_table_has_a_line_for_each_row_and_says_what_was_left_out() -> None:
    measured = Measured({"floor": [500_000], "ours": [2_000_000]}, {"ours": [4_000_000]}, left_out={"crun": "absent"})
    heads, floor, ours, crun = table(measured, "6ad5ff1").splitlines()
    assert heads.split()[-2:] == ["6ad5ff1", "ratio"]
    assert floor.split() == ["floor", "500", "500", "500", "1.00"]
    assert ours.split() == ["ours", "2,000", "2,000", "2,000", "4.00", "4,000", "0.50"]
    assert crun.split() == ["crun", "left", "out:", "absent"]
