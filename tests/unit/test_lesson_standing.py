"""Read, answered, done: what a lesson is called follows from what happened in it, and Run All is not enough."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from udock_lab.lesson import begin, exit_ticket, predict, progress, put_in_order
from udock_lab.lesson.outline import COURSE, entry
from udock_lab.lesson.standing import standing, stars

SLUG = "m2_1a_fork"
PREDICTIONS = ("lines", "dots", "results")


def take(answers: int, ticket: tuple[object, ...] = (), order: tuple[int, ...] = (1, 0), predictions: int = 3) -> str:
    """Take the lesson from its first cell to its last; the first line of what its end shows."""
    lesson = begin(SLUG)
    for number, name in enumerate(PREDICTIONS[:predictions]):
        asked = predict(name, "?", {"one": "", "two": ""})
        if number < answers:
            asked.answer("one")
        asked.settle("two")
    put_in_order("x", ["print(1)", "print(2)"], expect="2\n1\n", goal="2 comes first").try_order(*order)
    exit_ticket(("1 + 1?", 2, ""), ("word?", "fork", "")).answer(*ticket)
    return str(lesson.end()).splitlines()[0]


def state(home: Path) -> str:
    return standing(entry(SLUG), json.loads((home / "progress.json").read_text())).state


def test_run_all_with_nothing_answered_is_read_and_says_what_is_open(home: Path) -> None:
    assert take(0, order=(0, 1)) == "The lesson m2_1a_fork is read."
    lines = str(progress()).splitlines()
    assert lines[0] == f"0 of {len(COURSE)} lessons done, 1 read"
    assert "  [  read  ] m2_1a Fork: one process becomes two · 0 of 5 answered · order open" in lines


def test_answers_right_or_wrong_make_it_answered_and_the_order_makes_it_done(home: Path) -> None:
    assert take(3, (7, "no"), order=(0, 1)) == "The lesson m2_1a_fork is answered."
    assert take(3, (7, "no")) == "The lesson m2_1a_fork is done."
    assert str(progress()).startswith(f"1 of {len(COURSE)} lessons done")


def test_one_question_without_an_answer_leaves_it_read(home: Path) -> None:
    assert take(3, (7,)) == "The lesson m2_1a_fork is read."


def test_who_jumps_to_the_last_cell_has_not_read_the_lesson(home: Path) -> None:
    assert take(3, (7, "no"), predictions=2) == "The lesson m2_1a_fork has ended."
    assert state(home) == "begun"
    assert begin(SLUG).end().card().headline == "The lesson m2_1a_fork has ended."


def test_a_lesson_of_several_sittings_is_read_when_its_last_cell_ran_in_one_of_them(home: Path) -> None:
    first = begin(SLUG)
    predict("lines", "?", {"one": "", "two": ""}).settle("two")
    predict("dots", "?", {"one": "", "two": ""}).settle("two")
    first._close()  # the kernel is restarted
    second = begin(SLUG)
    predict("results", "?", {"one": "", "two": ""}).settle("two")
    put_in_order("x", ["print(1)", "print(2)"], expect="2\n1\n", goal="2 comes first")
    exit_ticket(("1 + 1?", 2, ""), ("word?", "fork", ""))
    second.end()
    assert state(home) == "read"


def test_a_question_that_a_newer_notebook_no_longer_asks_is_not_waited_for(home: Path) -> None:
    lesson = begin(SLUG)
    predict("old_one", "?", {"one": "", "two": ""}).settle("two")
    lesson._close()
    assert take(3, (2, "fork")) == "The lesson m2_1a_fork is done."


def test_reset_makes_it_a_lesson_that_nobody_began(home: Path) -> None:
    take(3, (2, "fork"))
    progress().reset(SLUG)
    assert state(home) == ""


@pytest.mark.parametrize(
    "facts", ["7", "[]", '{"asked": 3, "done": 1, "orders": {"x": 7}}', '{"asked": {"ticket": [1]}}']
)
def test_facts_that_somebody_edited_make_no_lesson_done(facts: str) -> None:
    data = {name: {SLUG: json.loads(facts)} for name in ("lessons", "predictions", "tickets", "answers", "exercises")}
    assert standing(entry(SLUG), data).state in ("", "begun")
    assert stars(SLUG, data) == ""


def test_stars_say_the_best_score_and_the_number_of_tries() -> None:
    data = {"exercises": {"x": {"best": 4, "max": 5, "tries": [2, 4, 3]}}}
    assert stars("x", data) == "4 of 5 ★★★★☆ after 3 tries"


def test_the_map_has_a_box_for_each_lesson_with_its_state_and_marks_where_one_is(home: Path) -> None:
    take(3, (2, "fork"))
    lesson = begin("m2_1b_exec_and_wait")
    try:
        page = progress()._repr_html_()
    finally:
        lesson._close()
    assert page.count("<li") >= len(COURSE)
    assert 'class="here" aria-current="step"' in page or 'class="begun here" aria-current="step"' in page
    assert '<li class="done">' in page
