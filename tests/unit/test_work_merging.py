"""Two progress.json become one: whoever brings what to whom, in which order and how often, and never without a try."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from udock_lab.work.merging import merged, tries_of

NAMES = st.sampled_from(["a", "other", "one"])  # a lesson may call its questions as Python code calls its arguments
SLUGS = st.sampled_from(["m2_1a_fork", "m2_4_metadata"])
TIMES = st.integers(0, 6).map(float)
SCORES = st.sampled_from([0, 1, 2.5, 4])
# What no version of ours wrote: an edited file, or one of a later version.
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-9, 9) | st.sampled_from(["", "x", "one"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def facts(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=fields)


def timed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[list[Any], list[float]]]:
    """Values with times that grow, as the ledger writes them."""
    return st.lists(st.tuples(TIMES, values), max_size=4, unique_by=lambda pair: pair[0]).map(
        lambda pairs: ([value for _, value in sorted(pairs)], [when for when, _ in sorted(pairs)])
    )


EXERCISE = st.one_of(
    timed(SCORES).map(lambda both: {"tries": both[0], "times": both[1], "best": max(both[0], default=0), "max": 4}),
    facts(score=SCORES, max=SCORES, best=SCORES, tries=st.lists(SCORES, max_size=3)),  # of older versions
)
ORDER = st.one_of(
    st.sets(TIMES, max_size=3).map(lambda times: {"tries": len(times), "times": sorted(times), "solved": False}),
    facts(tries=st.integers(0, 5), solved=st.booleans()),
)
PREDICTION = facts(
    answer=st.sampled_from(["one", "two", "none"]),
    late=st.booleans(),
    at=TIMES,
    round=st.integers(1, 2),
    verdict=st.sampled_from(["right", "wrong"]),
)
ASKED = facts(predictions=st.lists(NAMES, max_size=2, unique=True), ticket=st.lists(NAMES, max_size=2, unique=True))
ANSWERED = facts(at=TIMES, round=st.integers(1, 2))
PROGRESS = facts(
    lessons=st.dictionaries(
        SLUGS, facts(done=st.booleans(), asked=ASKED, orders=st.dictionaries(NAMES, ORDER, max_size=2)) | ODD
    ),
    predictions=st.dictionaries(SLUGS, st.dictionaries(NAMES, PREDICTION | ODD, max_size=2)),
    tickets=st.dictionaries(SLUGS, facts(ticket=facts(right=st.lists(st.booleans(), max_size=3)))),
    answers=st.dictionaries(SLUGS, st.dictionaries(NAMES, st.sampled_from([1, 2.5, "two", True]), max_size=2)),
    answered=st.dictionaries(SLUGS, st.dictionaries(NAMES, ANSWERED, max_size=2)),
    exercises=st.dictionaries(NAMES, EXERCISE | ODD),
    resets=st.dictionaries(SLUGS, st.integers(0, 3)),
    later=ODD,
)
LAWS = settings(max_examples=150, deadline=None)


@LAWS
@given(PROGRESS, PROGRESS)
def test_it_does_not_matter_who_brings_what_to_whom(one: Any, other: Any) -> None:
    assert merged(one, other) == merged(other, one)


@LAWS
@given(PROGRESS, PROGRESS)
def test_brought_in_again_it_changes_nothing(one: Any, other: Any) -> None:
    both = merged(one, other)
    assert merged(both, other) == both
    assert merged(both, one) == both
    assert merged(both, both) == both


@LAWS
@given(PROGRESS, PROGRESS, PROGRESS)
def test_of_three_machines_the_order_does_not_matter(one: Any, two: Any, three: Any) -> None:
    assert merged(merged(one, two), three) == merged(one, merged(two, three))


@LAWS
@given(PROGRESS, PROGRESS)
def test_no_try_no_better_score_no_solved_order_and_no_answer_is_lost(one: Any, other: Any) -> None:
    both = merged(one, other)
    for side in (one, other):
        for name, exercise in side.get("exercises", {}).items():
            if isinstance(exercise, dict):
                kept = both["exercises"][name]
                assert set(tries_of(exercise)) <= set(tries_of(kept))
                assert kept.get("best", 0) >= exercise.get("best", 0) if isinstance(exercise.get("best"), int) else True
        for slug, lesson in side.get("lessons", {}).items():
            for name, order in (lesson.get("orders", {}) if isinstance(lesson, dict) else {}).items():
                kept = both["lessons"][slug]["orders"][name]
                assert set(order.get("times", [])) <= set(kept.get("times", []))
                assert kept.get("tries", 0) >= order.get("tries", 0)
                assert kept.get("solved", False) >= order.get("solved", False)
        for slug, predictions in side.get("predictions", {}).items():
            for name, prediction in predictions.items():
                if isinstance(prediction, dict) and "answer" in prediction:
                    kept = both["predictions"][slug][name]
                    answers = [kept.get("answer"), *(record.get("answer") for record in kept.get("others", []))]
                    assert prediction["answer"] in answers
        for slug, answers in side.get("answers", {}).items():
            for question, answer in answers.items():
                others = both.get("answered", {}).get(slug, {}).get(question, {}).get("others", [])
                assert answer in [both["answers"][slug][question], *(entry[-1] for entry in others)]


def test_of_two_machines_the_answer_that_was_locked_first_stays_and_the_other_is_kept() -> None:
    early, late = ({"predictions": {"s": {"q": {"answer": answer, "late": False, "at": at}}}} for answer, at in
                   (("one", 5.0), ("two", 9.0)))  # fmt: skip
    kept = merged(late, early)["predictions"]["s"]["q"]
    assert (kept["answer"], [one["answer"] for one in kept["others"]]) == ("one", ["two"])


def test_an_answer_from_before_a_reset_does_not_come_back_over_the_one_after_it() -> None:
    old = {"predictions": {"s": {"q": {"answer": "one", "late": False, "at": 5.0}}}}
    new = {"predictions": {"s": {"q": {"answer": "two", "late": False, "at": 9.0, "round": 1}}}, "resets": {"s": 1}}
    assert merged(old, new)["predictions"]["s"]["q"]["answer"] == "two"


def test_tries_of_two_machines_stand_in_the_order_in_which_they_were_made() -> None:
    here = {"exercises": {"x": {"score": 4, "best": 4, "max": 5, "tries": [2, 4], "times": [10.0, 30.0]}}}
    there = {"exercises": {"x": {"score": 3, "best": 3, "max": 5, "tries": [3], "times": [20.0]}}}
    assert merged(here, there)["exercises"]["x"] == {
        "score": 4, "best": 4, "max": 5, "tries": [2, 3, 4], "times": [10.0, 20.0, 30.0],
    }  # fmt: skip
