"""Minutes are counted by one rule, and what lessons state is that count."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from check_minutes import MOST, Count, count, of_lesson, problems, stated_of_exercise  # noqa: E402

from udock_lab.lesson.outline import COURSE, EXERCISES, Entry  # noqa: E402


def text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source.splitlines(keepends=True)}


def code(source: str, *, shows: bool = False) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": [{"output_type": "stream"}] * shows}


@pytest.mark.parametrize(
    ("cell", "counted"),
    [
        (text("One, two · three.\n\n| a | b |\n|---|---|"), Count(words=5)),
        (text("[three words here](a_long_address.ipynb#that-nobody-reads)"), Count(words=3)),
        (text("<details><summary>two words</summary></details>"), Count(words=2)),
        (text("In C:\n\n```c\npid_t pid;\n\nfork();\n```\n"), Count(words=2, lines=2)),
        (code("import os\n\nos.fork()"), Count(lines=2)),
        (code("import os", shows=True), Count(lines=1, outputs=1)),
        (code('a = predict("a", "?", {\n    "1": "x"})\nb = predict("b", "?", {})\na', shows=True), Count(questions=2)),
        (code('ticket = exit_ticket(("q", 1, "e"),\n    ("q", 2, "e"))\nticket', shows=True), Count(questions=2)),
        (code('task = put_in_order("x", ["a"])\ntask.try_order(0)', shows=True), Count(outputs=1, tasks=1)),
        (code("n = 3      # change this line: 4"), Count(lines=1, tasks=1)),
    ],
)
def test_each_thing_to_read_or_to_do_is_counted_once(cell: dict[str, Any], counted: Count) -> None:
    assert count([cell]) == counted


def test_a_minute_is_what_the_rule_says_and_what_is_stated_is_rounded_up_to_five() -> None:
    assert Count(words=200).minutes == 1
    assert Count(lines=15, outputs=3, questions=4, tasks=1).minutes == 2 + 1 + 3 + 1
    assert [Count(tasks=n).stated for n in (1, 5, 6, 25)] == [5, 5, 10, 25]


def test_a_figure_that_differs_and_a_lesson_that_is_too_long_are_named() -> None:
    assert problems("m2_9", 10, Count(tasks=10)) == []
    (differs,) = problems("m2_9", 10, Count(tasks=11))
    assert "15 are to be stated; outline.py says 10" in differs
    (long,) = problems("m2_9", 30, Count(tasks=26))
    assert f"at most {MOST}: split it" in long


@pytest.mark.parametrize("entry", COURSE, ids=lambda entry: entry.slug)
def test_a_lesson_takes_the_minutes_that_it_states(entry: Entry) -> None:
    assert problems(entry.slug, entry.minutes, of_lesson(entry.slug)) == []


@pytest.mark.parametrize("slug", EXERCISES)
def test_every_exercise_states_its_minutes(slug: str) -> None:
    assert stated_of_exercise(slug) >= 10
