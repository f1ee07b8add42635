"""How far a learner is in a lesson: begun, read, answered, done. One place says so for strip, map, end and class page.

- **read**: its last cell ran, after each of its questions was put: predictions settled, tasks and exit ticket shown.
  Run All does that.
- **answered**: it is read, and each prediction and each question of the exit ticket has an answer, right or wrong.
- **done**: it is answered, and the order of each task was found.
- **begun**: something of it is there, but no more than that.

Nothing of this is stored; it follows from ``progress.json``. A lesson that an older version finished has no list of
what was asked: it counts as read, and its answers are counted.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from udock_lab.lesson import outline
from udock_lab.lesson.ledger import Data, facts_of
from udock_lab.work.merging import tries_of

__all__ = ["ASKED", "STATES", "Standing", "asked_in", "is_whole", "standing", "stars"]

ASKED = ("predictions", "orders", "ticket")  # the kinds of what a lesson asks, as the ledger names them
STARS = 5
STATES = ("", "begun", "read", "answered", "done")  # each says that those before it hold, too


class Standing(NamedTuple):
    """Counts of one lesson, and the state that they come to."""

    state: str
    answered: int
    questions: int
    right: int
    late: int
    found: int
    tasks: int
    attempts: int

    @property
    def open_ones(self) -> list[str]:
        """What is still open, in words."""
        left, tasks = self.questions - self.answered, self.tasks - self.found
        said = [f"{left} question{'s' * (left > 1)} without an answer"] if left > 0 else []
        return said + (["the order of the lines"] if tasks == 1 else [f"{tasks} orders"] if tasks > 1 else [])

    @property
    def said(self) -> list[str]:
        """The counts in words, for a strip or a box of the map."""
        words = [f"{self.answered} of {self.questions} answered"] if self.questions else []
        late = f" ({self.late} after the run)" if self.late else ""
        words[:] = [f"{word}, {self.right} right{late}" if self.answered else word for word in words]
        if self.tasks:
            tries = f" after {self.attempts} tr{'y' if self.attempts == 1 else 'ies'}" if self.attempts else ""
            words.append(f"order {'found' if self.found == self.tasks else 'open'}{tries}")
        return words


def standing(lesson: outline.Entry, data: Data) -> Standing:
    """Return how far the learner is in a lesson."""
    facts = facts_of(data["lessons"], lesson.slug)
    predictions = _dicts(facts_of(data["predictions"], lesson.slug))
    tickets = facts_of(facts_of(data, "answers"), lesson.slug)
    orders = _dicts(facts_of(facts, "orders"))
    marks = facts_of(facts_of(data["tickets"], lesson.slug), "ticket").get("right")
    right = [bool(mark) for mark in marks] if isinstance(marks, list) else []
    given = {name for name, found in predictions.items() if isinstance(found.get("answer"), str)}
    solved = {name for name, found in orders.items() if found.get("solved") is True}
    asked = asked_in(facts)
    if asked is None:  # of an older version, or not asked yet: the outline says how many there are
        answered = min(len(given), lesson.predictions) + min(max(len(tickets), sum(right)), lesson.questions)
        questions, tasks, found = lesson.predictions + lesson.questions, lesson.tasks, len(solved)
    else:
        answered = len(given & {*asked["predictions"]}) + len({*tickets} & {*asked["ticket"]})
        questions = max(lesson.predictions, len(asked["predictions"])) + max(lesson.questions, len(asked["ticket"]))
        tasks, found = max(lesson.tasks, len(asked["orders"])), len(solved & {*asked["orders"]})
    read = facts.get("done") is True and (asked is None or is_whole(lesson, asked))
    attempts = sum(count for one in orders.values() if type(count := one.get("tries")) is int)
    return Standing(
        state=_state(bool(facts or predictions or tickets or right), read, answered >= questions, found >= tasks),
        answered=answered,
        questions=questions,
        right=sum(predictions[name].get("verdict") == "right" for name in given) + sum(right),
        late=sum(predictions[name].get("late") is True for name in given),
        found=min(found, tasks),
        tasks=tasks,
        attempts=attempts,
    )


def _state(begun: bool, read: bool, answered: bool, found: bool) -> str:
    if not read:
        return "begun" if begun else ""
    if not answered:
        return "read"
    return "done" if found else "answered"


def is_whole(lesson: outline.Entry, asked: dict[str, list[str]]) -> bool:
    """Return whether all that the lesson has to ask was put."""
    wanted = (lesson.predictions, lesson.tasks, lesson.questions)
    return all(len(asked[kind]) >= count for kind, count in zip(ASKED, wanted, strict=True))


def asked_in(facts: dict[str, Any]) -> dict[str, list[str]] | None:
    """Return what a lesson's facts say was asked, by kind; None where an older version kept no list."""
    asked = facts.get("asked")
    return {kind: _texts(asked.get(kind)) for kind in ASKED} if isinstance(asked, dict) else None


def _texts(found: object) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _dicts(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in found.items() if isinstance(one, dict)}


def stars(exercise: str, data: Data) -> str:
    """Return an exercise's best score as ``4 of 5 ★★★★☆``, and after how many tries; empty where it has none."""
    facts = facts_of(data["exercises"], exercise)
    best, most = facts.get("best"), facts.get("max")
    if not isinstance(best, int | float) or not isinstance(most, int | float) or most <= 0:
        return ""
    lit = int(STARS * max(0.0, min(1.0, best / most)))
    tries = len(tries_of(facts))
    after = f" after {tries} tries" if tries > 1 else ""
    return f"{best:g} of {most:g} {'★' * lit}{'☆' * (STARS - lit)}{after}"
