"""``predict``: locked before the run, compared by program, and nothing is said that was not earned."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from udock_lab.errors import UsageError
from udock_lab.lesson import Lesson, Prediction, begin, predict, progress

CHOICES = {
    "none": "`fork` prints nothing by itself",
    "one": "the line runs in the parent alone",
    "two": "both return from `fork`",
    "it depends": "somebody always prints",
}


@pytest.fixture
def lesson(home: Path) -> Iterator[Lesson]:
    begun = begin("m2_1a_fork")
    yield begun
    begun._close()


def stored(home: Path) -> dict[str, object]:
    found = json.loads((home / "progress.json").read_text())["predictions"]["m2_1a_fork"]["lines"]
    assert isinstance(found, dict)
    assert abs(found.pop("at") - time.time()) < 600
    return found


def test_a_right_answer_is_told_with_the_reason_and_kept(home: Path, lesson: Lesson) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    lines.answer("two")
    verdict = lines.settle("two")
    assert str(verdict) == "Right. You said two, and so did the machine.\n  two: both return from `fork`"
    assert stored(home) == {"answer": "two", "late": False, "verdict": "right"}


def test_a_wrong_answer_hears_its_misconception_and_what_is_so(home: Path, lesson: Lesson) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    lines.answer("one")
    text = str(lines.settle("two"))
    assert text.splitlines() == [
        "Not what happened. You said one, the machine says two.",
        "  one: the line runs in the parent alone",
        "  two: both return from `fork`",
    ]
    assert stored(home)["verdict"] == "wrong"


def test_run_all_withholds_the_verdict_and_gives_nothing_away(lesson: Lesson) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    text = str(lines.settle("two"))
    assert text.startswith("No verdict yet")
    assert 'lines.answer("...")' in text
    assert "both return" not in text
    assert not lines.settle("two").answered


def test_an_answer_after_the_run_is_marked_so_for_good(home: Path, lesson: Lesson) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    lines.settle("two")
    assert "Answered after the run." in str(lines.answer("two"))
    assert "Answered after the run." in str(lines.settle("two"))
    assert stored(home) == {"answer": "two", "late": True, "verdict": "right"}
    assert "1 of 5 answered, 1 right (1 after the run)" in str(progress())


@pytest.mark.parametrize(("observed", "label"), [(2, "2"), (True, "True"), ("two", "two")])
def test_an_observation_is_compared_as_python_writes_it(lesson: Lesson, observed: object, label: str) -> None:
    asked = predict("asked", "?", {label: "so it is", "other": "no"})
    asked.answer(observed)
    assert asked.settle(observed).right


def test_what_no_choice_names_is_said_and_nobody_is_blamed(lesson: Lesson) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    lines.answer("two")
    text = str(lines.settle("seventeen"))
    assert "no choice names: seventeen" in text
    assert "You said two." in text


def test_a_locked_answer_cannot_be_changed(lesson: Lesson) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    lines.answer("one")
    lines.answer("one")
    with pytest.raises(UsageError, match=r'locked.*\n.*progress\(\)\.reset\("m2_1a_fork"\)'):
        lines.answer("two")
    assert lines.locked == "one"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "takes one"),
        (("one", "two"), "takes one"),
        (("tow",), "Did you mean 'two'"),
        ((7,), "none of the choices"),
    ],
)
def test_a_word_that_is_no_choice_locks_nothing(lesson: Lesson, given: tuple[object, ...], said: str) -> None:
    lines = predict("lines", "How many lines?", CHOICES)
    with pytest.raises(UsageError, match=said) as caught:
        lines.answer(*given)
    assert "They are: none, one, two, it depends" in str(caught.value)
    assert not lines.locked


@pytest.mark.parametrize("given", [None, ..., "", "..."])
def test_a_cell_that_still_holds_its_dots_locks_nothing_and_fails_no_run_all(lesson: Lesson, given: object) -> None:
    assert predict("lines", "?", CHOICES).answer(given).locked == ""


def test_capitals_and_blanks_are_forgiven(lesson: Lesson) -> None:
    assert predict("lines", "?", CHOICES).answer(" It Depends ").locked == "it depends"


def test_asking_again_keeps_the_answer_and_a_changed_question_forgets_what_was_seen(lesson: Lesson) -> None:
    first = predict("lines", "How many lines?", CHOICES)
    first.answer("one")
    first.settle("two")
    again = predict("lines", "How many lines?", CHOICES)
    assert again is first
    changed = predict("lines", "How many?", CHOICES)
    assert (changed.locked, changed.settled) == ("one", False)


def test_a_stored_answer_is_still_locked_in_the_next_kernel(home: Path) -> None:
    begin("m2_1a_fork")
    predict("lines", "?", CHOICES).answer("one")
    begun = begin("m2_1a_fork")  # as after a restart: the objects are new
    try:
        assert predict("lines", "?", CHOICES).locked == "one"
        assert predict("lines", "?", {"a": "", "b": ""}).locked == ""  # the course has changed meanwhile
    finally:
        begun._close()


def test_reset_opens_the_question_again_where_it_stands(home: Path, lesson: Lesson) -> None:
    lines = predict("lines", "?", CHOICES)
    heard: list[str] = []
    lines.on_answer(lambda: heard.append(lines.locked))
    lines.answer("one")
    lines.settle("two")
    progress().reset("m2_1a_fork")
    assert (lines.locked, lines.late) == ("", False)
    lines.answer("two")
    assert heard == ["one", "", "two"]
    assert stored(home) == {"answer": "two", "late": False, "round": 1}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(["one", "two", "settle", "reset"])), max_size=12))
@example([(0, "one"), (1, "two"), (1, "reset"), (0, "settle"), (1, "two"), (0, "one")])
def test_whatever_two_notebooks_do_an_answer_stays_until_a_reset_and_both_know_it(
    home: Path, lesson: Lesson, done: list[tuple[int, str]]
) -> None:
    progress().reset("m2_1a_fork")
    notebooks = [Prediction("lines", "?", CHOICES), Prediction("lines", "?", CHOICES)]
    answer = ""
    for which, what in done:
        if what == "reset":
            progress().reset("m2_1a_fork")
            answer = ""
        elif what == "settle":
            assert notebooks[which].settle("two").answered == bool(answer)
        elif answer in ("", what):
            notebooks[which].lock(what)
            answer = what
        else:
            with pytest.raises(UsageError, match="is locked"):
                notebooks[which].lock(what)
        if what != "reset":
            assert notebooks[which].locked == answer
    kept = json.loads((home / "progress.json").read_text())["predictions"].get("m2_1a_fork", {})
    assert kept.get("lines", {}).get("answer", "") == answer


def test_without_a_lesson_a_question_works_and_nothing_is_written(home: Path) -> None:
    asked = predict("asked", "?", CHOICES)
    asked.answer("one")
    assert not asked.settle("two").right
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "choices"), [("two words", CHOICES), ("lines", {"one": ""}), ("lines", ["one"]), ("lines", "one")]
)
def test_a_question_that_is_none_is_refused(home: Path, name: str, choices: object) -> None:
    with pytest.raises(UsageError):
        predict(name, "?", choices)  # type: ignore[arg-type]


def test_text_shows_the_choices_and_html_says_the_same_escaped(home: Path) -> None:
    asked = predict("asked", "Is <b> in `fork`?", {"<yes>": "", "no": ""})
    assert str(asked).splitlines() == [
        "Is <b> in `fork`?",
        "  ( ) <yes>",
        "  ( ) no",
        '  Before you run the next cell, type `asked.answer("...")` with one of: <yes>, no',
    ]
    page = asked._repr_html_()
    assert "Is &lt;b&gt; in <code>fork</code>?" in page
    assert "○ &lt;yes&gt;" in page
    assert "◉ no <small>your answer</small>" in asked.answer("no")._repr_html_()
    assert "(x) no" in str(asked)
