"""``progress()``: what is done, lesson by lesson."""

from __future__ import annotations

from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson import outline
from udock_lab.lesson.ledger import Data, facts_of, reset
from udock_lab.lesson.session import current, ledger
from udock_lab.lesson.showing import Shown
from udock_lab.lesson.standing import STATES, standing, stars
from udock_lab.lesson.strip import course_map
from udock_lab.model import CardMap, CardTable, CardText, LessonCard

__all__ = ["Progress", "progress"]


def progress() -> Progress:
    """Show what you have done: lessons, predictions, exit tickets, exercises. It is kept in your own mdock home."""
    return Progress()


class Progress(Shown):
    """The table; read anew each time it is shown."""

    def reset(self, *slugs: object) -> Progress:
        """Forget the answers of a lesson, so that it can be taken again. The score of its exercise stays."""
        if len(slugs) != 1:
            raise UsageError(
                "reset takes the slug of one lesson.", f"They are: {', '.join(e.slug for e in outline.COURSE)}"
            )
        slug = outline.entry(str(slugs[0])).slug
        ledger().change(lambda data: reset(data, slug))
        lesson = current()
        if lesson is not None and lesson.slug == slug:
            for asked in (*lesson.predictions.values(), *lesson.tickets.values()):
                asked.reopen()
        return self

    def card(self) -> LessonCard:
        data = ledger().read()
        rows = tuple(_row(lesson, data) for lesson in outline.COURSE)
        states = [standing(lesson, data).state for lesson in outline.COURSE]
        lesson = current()
        parts: list[CardTable | CardText | CardMap] = [
            course_map(data, lesson.slug if lesson else ""),
            CardTable(head=("LESSON", "STATE", "PREDICTIONS RIGHT", "IN ORDER", "EXIT TICKET", "MINUTES"), rows=rows),
            CardTable(
                head=("EXERCISE", "BEST SCORE"),
                rows=tuple((name, stars(name, data) or "-") for name in outline.EXERCISES),
            ),
        ]
        parts.append(CardText(text='To take a lesson again: `progress().reset("m2_1a_fork")`', kind="hint"))
        counts = [(states.count(state), state) for state in reversed(STATES[1:])]
        done = f"{states.count('done')} of {len(rows)} lessons done"
        headline = ", ".join([done, *(f"{count} {state}" for count, state in counts[1:] if count)])
        return LessonCard(label="progress", headline=headline, parts=tuple(parts))


def _row(lesson: outline.Entry, data: Data) -> tuple[str, ...]:
    of_lesson = facts_of(data["lessons"], lesson.slug)
    answers = [found for found in facts_of(data["predictions"], lesson.slug).values() if isinstance(found, dict)]
    orders = [found for found in facts_of(of_lesson, "orders").values() if isinstance(found, dict)]
    right = facts_of(facts_of(data["tickets"], lesson.slug), "ticket").get("right")
    return (
        lesson.slug,
        standing(lesson, data).state or "-",
        _predictions(answers),
        ("yes" if all(found.get("solved") is True for found in orders) else "not yet") if orders else "-",
        f"{sum(map(bool, right))} of {len(right)}" if isinstance(right, list) and right else "-",
        str(lesson.minutes),
    )


def _predictions(answers: list[dict[str, Any]]) -> str:
    if not answers:
        return "-"
    right = sum(found.get("verdict") == "right" for found in answers)
    late = sum(found.get("late") is True for found in answers)
    return f"{right} of {len(answers)}" + (f" ({late} after the run)" if late else "")
