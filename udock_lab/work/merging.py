"""Two ``progress.json`` become one, with every try of both.

``merged`` is commutative, associative and idempotent, so it does not matter who brings what to whom, in which order
and how often. So that it can be, whatever was done once carries its time: equal times mean that it is the same try,
seen twice. What older versions wrote has no times; its place in its list stands for one.

- A try stays, and so does the better score.
- Of two different answers to one prediction the first stays locked, unless the lesson was reset between them: then
  the one after the reset does. The other one is kept under ``others``.
- Of two answers to a question of an exit ticket the later one stands. What was right once stays right.
- What this version does not know is kept: of two values the larger one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

__all__ = ["merged", "tries_of"]

Facts = dict[str, Any]
Merge = Callable[[Any, Any], Any]

_UNTIMED_STEP = 0.001  # seconds between a try with a time and one behind it that has none


def merged(one: Facts, other: Facts) -> Facts:
    """Return what both hold; neither is changed."""
    both = _dicts(
        one,
        other,
        lessons=_each(_lesson),
        predictions=_each(_each(_prediction)),
        tickets=_each(_each(_ticket)),
        exercises=_each(_exercise),
    )
    for name in ("answers", "answered"):
        both.pop(name, None)
    return both | _answers(one, other)


# --- the general case


def _any(one: Any, other: Any) -> Any:
    """Return both of two dicts, else the larger one by kind and value."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _dicts(one, other)
    return max(one, other, key=_rank)


def _rank(value: Any) -> tuple[int, float, str]:
    if isinstance(value, bool | int | float):
        return 1 + (not isinstance(value, bool)), float(value), ""
    kind = next((place for place, of in enumerate((str, list, dict), 3) if isinstance(value, of)), 0)
    return kind, 0.0, _canonical(value)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _dicts(one: Facts, other: Facts, /, **how: Merge) -> Facts:
    """Return the keys of both, each merged in its own way; where one side is no dict, in the general one."""
    both: Facts = {}
    for key in (*one, *(key for key in other if key not in one)):
        merge = how.get(key, _any)
        if key in one and key in other:
            both[key] = merge(one[key], other[key])
        else:
            both[key] = merge(one.get(key, other.get(key)), other.get(key, one.get(key)))  # by itself: put in its form
    return both


def _each(merge: Merge) -> Merge:
    """Return what merges two dicts of such things by their names."""
    return _of_dicts(lambda one, other: _dicts(one, other, **dict.fromkeys((*one, *other), merge)))


def _of_dicts(merge: Callable[[Facts, Facts], Facts]) -> Merge:
    """Return what merges two of them; where one is something else, the other is put in its form."""

    def of_two(one: Any, other: Any) -> Any:
        found = [side for side in (one, other) if isinstance(side, dict)]
        return merge(found[0], found[-1]) if found else _any(one, other)

    return of_two


# --- lessons: what was read, and tasks


@_of_dicts
def _lesson(one: Facts, other: Facts) -> Facts:
    return _dicts(one, other, asked=_asked, orders=_each(_order))


def _asked(one: Any, other: Any) -> Any:
    """Return the longer list of what a lesson asked: a later version of the lesson, or a whole reading of it."""
    return max(one, other, key=lambda asked: (len(_canonical(asked)), _canonical(asked)))


@_of_dicts
def _order(one: Facts, other: Facts) -> Facts:
    """Count attempts with a time once each; of those without one the greater number."""
    times = sorted({*_numbers(one.get("times")), *_numbers(other.get("times"))})
    untimed = max(_count(side.get("tries")) - len(set(_numbers(side.get("times")))) for side in (one, other))
    both = _dicts(one, other)
    if "tries" in both or times:
        both |= {"tries": max(untimed, 0) + len(times)}
    return both | ({"times": times} if times else {})


def _count(value: Any) -> int:
    return value if type(value) is int else 0


def _numbers(value: Any) -> list[float]:
    found = value if isinstance(value, list) else []
    return [one for one in found if type(one) in (int, float) and math.isfinite(one)]


# --- predictions


@_of_dicts
def _prediction(one: Facts, other: Facts) -> Facts:
    """Return the answer that was locked first, the others behind it."""
    by_answer: dict[str, Facts] = {}
    for record in (*_records(one), *_records(other)):
        name = _canonical(record.get("answer"))
        known = by_answer.get(name)
        by_answer[name] = record if known is None else _same_answer(known, record)
    first, *others = sorted(by_answer.values(), key=_locking)
    return first | ({"others": others} if others else {})


def _records(facts: Facts) -> Iterator[Facts]:
    yield {key: value for key, value in facts.items() if key != "others"}
    others = facts.get("others")
    yield from (one for one in (others if isinstance(others, list) else []) if isinstance(one, dict))


def _locking(record: Facts) -> tuple[float, float, bool, str]:
    """Return what orders answers: of the latest round between resets the earliest one."""
    return -_number(record.get("round")), _number(record.get("at")), record.get("late") is True, _canonical(record)


def _same_answer(one: Facts, other: Facts) -> Facts:
    first = min(one, other, key=_locking)
    when = {key: first[key] for key in ("at", "round", "late") if key in first}
    rest = {key: value for key, value in _dicts(one, other).items() if key not in ("at", "round", "late")}
    return rest | when


def _number(value: Any) -> float:
    return float(value) if type(value) in (int, float) and math.isfinite(value) else 0.0


# --- exit tickets


@_of_dicts
def _ticket(one: Facts, other: Facts) -> Facts:
    return _dicts(one, other, right=_right)


def _right(one: Any, other: Any) -> Any:
    if not (isinstance(one, list) and isinstance(other, list)):
        return _any(one, other)
    return [bool(here) or bool(there) for here, there in zip_longest(one, other, fillvalue=False)]


def _answers(one: Facts, other: Facts) -> Facts:
    """Merge ``answers``, and what is known about each in ``answered``: when, and what else was answered."""
    answers, answered = {}, {}
    for slug in sorted({*_dict(one, "answers"), *_dict(other, "answers")}):
        sides = [(_dict(_dict(side, "answers"), slug), _dict(_dict(side, "answered"), slug)) for side in (one, other)]
        given: Facts = {}
        known: Facts = {}
        for question in sorted({*sides[0][0], *sides[1][0]}):
            found = [one for texts, facts in sides for one in _given(question, texts, facts)]
            latest = {
                _canonical(entry[-1]): entry for entry in sorted(found, key=_answering)
            }  # each answer's last time
            *others, last = sorted(latest.values(), key=_answering)
            given[question] = last[-1]
            facts = {"round": last[0], "at": last[1]} | ({"others": others} if others else {})
            facts |= _tried([_dict(side[1], question) for side in sides], last[0])
            if any(facts.values()):
                known[question] = facts
        answers[slug] = given
        if known:
            answered[slug] = known
    return ({"answers": answers} if answers else {}) | ({"answered": answered} if answered else {})


def _tried(sides: list[Facts], round_of_last: float) -> Facts:
    """Return how many wrong answers there were since the last reset, and whether the explanation was asked for."""
    same = [side for side in sides if _number(side.get("round")) == round_of_last]
    wrong = max((int(_number(side.get("wrong"))) for side in same), default=0)
    return ({"wrong": wrong} if wrong else {}) | (
        {"why": True} if any(side.get("why") is True for side in same) else {}
    )


def _dict(above: Facts, name: str) -> Facts:
    found = above.get(name)
    return found if isinstance(found, dict) else {}


def _given(question: str, answers: Facts, answered: Facts) -> Iterator[list[Any]]:
    """Yield [round, time, answer] of each answer that one side knows."""
    if question not in answers:
        return
    facts = _dict(answered, question)
    yield [_number(facts.get("round")), _number(facts.get("at")), answers[question]]
    others = facts.get("others")
    for other in others if isinstance(others, list) else []:
        if isinstance(other, list) and len(other) == 3:
            yield [_number(other[0]), _number(other[1]), other[2]]


def _answering(entry: list[Any]) -> tuple[float, float, str]:
    return entry[0], entry[1], _canonical(entry[2])


# --- exercises


def tries_of(facts: Facts) -> list[tuple[float, float]]:
    """Return (time, score) of each try of an exercise, in order. What has no time gets one from its place."""
    scores = facts.get("tries", [facts.get("score")])
    times = _numbers(facts.get("times"))
    found: list[tuple[float, float]] = []
    for place, score in enumerate(_numbers(scores)):
        last = found[-1][0] + _UNTIMED_STEP if found else 0.0
        when = times[place] if place < len(times) else max(float(place), last) if not times else last
        found.append((when, score))
    return found


@_of_dicts
def _exercise(one: Facts, other: Facts) -> Facts:
    tries = sorted({*tries_of(one), *tries_of(other)})
    both = _dicts(one, other)
    if not tries:
        return both
    scores = [score for _, score in tries]
    best = max([*scores, *_numbers([one.get("best"), other.get("best")])])
    return both | {"score": scores[-1], "best": best, "tries": scores, "times": [when for when, _ in tries]}
