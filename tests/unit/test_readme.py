"""The README keeps its promises: the lessons there are, their minutes, the rungs, and a picture that loads quickly."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from udock_lab.lesson.outline import COURSE, EXERCISES

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_minutes import stated_of_exercise  # noqa: E402

README = (ROOT / "README.md").read_text()
LINES_BEFORE_THE_TOUR = 60  # two screens


def test_the_table_has_every_lesson_in_order_with_its_minutes() -> None:
    rows = re.findall(r"^\| \[.+\]\(notebooks/(\w+)\.ipynb\) \| .+ \| (\d+) \|$", README, re.MULTILINE)
    assert rows == [(lesson.slug, str(lesson.minutes)) for lesson in COURSE]
    assert f"{sum(lesson.minutes for lesson in COURSE)} minutes in all" in README


def test_the_time_that_exercises_take_is_told_too() -> None:
    assert f"the seven exercises take {sum(map(stated_of_exercise, EXERCISES))} more" in " ".join(README.split())


def test_the_tour_begins_within_two_screens() -> None:
    assert README.splitlines().index("## A tour of mdock") <= LINES_BEFORE_THE_TOUR


def test_the_picture_is_there_and_small() -> None:
    picture = ROOT / "docs/lesson.png"
    assert f"]({picture.relative_to(ROOT)})" in README
    assert 10_000 < picture.stat().st_size < 250_000


def test_every_rung_has_its_line() -> None:
    assert re.findall(r"^\| ([A-E]) \|", README, re.MULTILINE) == list("ABCDE")


def test_every_target_of_make_that_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"\bmake (\w+)\b", README)) & {"lab", "test", "bench", "soak", "check", "setup"}
    assert {"lab", "test"} <= named
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in named)
