"""Grades that an earlier version of ``udock-lab grade`` kept are read, and a class goes on from there."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from udock_lab.grading.batch import Batch
from udock_lab.grading.classfiles import ClassFiles
from udock_lab.grading.marks import Marks, Result, read_marks, reports_of
from udock_lab.grading.submissions import find_submissions

STORED = Path(__file__).resolve().parents[1] / "handed_out" / "0.1.0" / "stored"
SLUG = "m2_1_process_creation"


def kept_by(learner: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((STORED / "graded" / learner / f"{SLUG}.json").read_text())
    return found


def marks_of(learner: str) -> Marks:
    found = read_marks(STORED / "graded" / learner / f"{SLUG}.json")
    assert found is not None
    return found


def judged(out: Path) -> Result:
    """The one submission, ben's; judged now or kept from before."""
    (result,) = Batch(out).grade(find_submissions(out.parent / "submitted"), 1, lambda _: None)
    ClassFiles(out).write([result])
    return result


@pytest.fixture
def out(tmp_path: Path) -> Path:
    shutil.copytree(STORED / "submitted", tmp_path / "submitted")
    return tmp_path / "graded"


@pytest.mark.parametrize(("learner", "points", "failed"), [("anna", [7, 2], None), ("ben", [2, 1], "code")])
def test_judgements_of_an_old_version_are_read(learner: str, points: list[int], failed: str | None) -> None:
    public, hidden = reports_of(marks_of(learner))
    assert [public.points, hidden.points] == points
    assert (public.slug, public.out_of, hidden.out_of) == (SLUG, 7, 2)
    first = public.first_failure
    assert (first.requirement.key if first else None) == failed
    assert first is None or "raw wait status" in first.looks_like


def test_what_could_not_be_judged_then_still_says_why() -> None:
    assert reports_of(marks_of("cleo")) == []
    assert "is not a notebook" in marks_of("cleo").error


@pytest.mark.parametrize(("schema", "kept"), [(None, True), (1, True), (2, False), ("1", False)])
def test_an_old_grade_is_kept_where_nothing_has_changed_and_a_later_versions_is_judged_anew(
    out: Path, schema: object, kept: bool
) -> None:
    """The old grade is said to come from the judges of today, whose hash no older version could know."""
    judged(out)
    today = json.loads((out / "ben" / f"{SLUG}.json").read_text())["made_from"]
    old = kept_by("ben") | {"points": 2.5, "made_from": today}
    old |= {} if schema is None else {"schema": schema}
    (out / "ben" / f"{SLUG}.json").write_text(json.dumps(old))
    assert judged(out).kept is kept
    with (out / "grades.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (float(row["points"]) == 2.5) is kept
    assert "raw wait status" in (out / "ben" / "report.html").read_text()


def test_a_grade_says_which_schema_it_has(out: Path) -> None:
    judged(out)
    assert json.loads((out / "ben" / f"{SLUG}.json").read_text())["schema"] == 1
