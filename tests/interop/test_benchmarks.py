"""``make bench`` in small: each row is measured, each goal answered. No time is judged here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from report import FLOOR, GOALS, LAUNCHER, PYTHON, Goal, Measured, table, verdicts  # noqa: E402

MAY_BE_MISSING = ("bubblewrap", "crun", "runc", "podman", "earlier")  # on this machine


def short(program: str, *options: str) -> tuple[str, set[str], list[str]]:
    """A benchmark in small: its heading, the names of its rows, and its answers."""
    command = [sys.executable, str(BENCHMARKS / program), *options, "--usual-priority"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    heading, rows, goals = done.stdout.strip().split("\n\n")
    return heading, {line.split("  ")[0] for line in rows.splitlines() if re.search(r"\d", line)}, goals.splitlines()


def all_answered(answers: list[str]) -> bool:
    """Each says whether it is met; it is not measured only where somebody may be missing."""
    *answers, last = answers
    unknown = [line for line in answers if not re.match(r"met|NOT MET", line)]
    known = len(answers) - len(unknown)
    assert last == f"{sum(line.startswith('met') for line in answers)} of {known} goals are met"
    return all(line.startswith("not measured") and any(name in line for name in MAY_BE_MISSING) for line in unknown)


@pytest.mark.timeout(650)  # nine kernels start, one after the other
def test_a_short_run_has_every_row_and_answers_every_goal(home: Path) -> None:
    heading, measured, answers = short("launch.py", "--quick", "--runs", "2")
    assert re.search(r"usual priority; homes on \w+ \(/", heading)
    ours = {goal.row for goal in GOALS if not goal.row.startswith("run, heap")}
    assert ours <= measured
    assert sum(name.startswith("run, heap of") for name in measured) == 2
    assert {FLOOR, PYTHON, LAUNCHER} <= measured
    assert len(answers) >= len(GOALS) and all_answered(answers)


def test_a_short_run_of_the_other_commands_answers_every_goal(home: Path) -> None:
    heading, measured, answers = short("commands.py", "--rounds", "1", "--records", "100")
    assert "100 records, 1 interleaved rounds\nusual priority; homes on" in heading
    assert {"ps", "ps: with the files of each", "ps --running", PYTHON} <= measured
    assert len(answers) >= 3 and all_answered(answers)


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
