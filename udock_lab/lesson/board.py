"""``progress()``: the map of the course, with what was answered, found and scored in each lesson."""

from __future__ import annotations

from udock_lab.errors import UsageError
from udock_lab.lesson import outline
from udock_lab.lesson.ledger import reset
from udock_lab.lesson.session import current, ledger
from udock_lab.lesson.showing import Shown
from udock_lab.lesson.standing import STATES, standing
from udock_lab.lesson.strip import course_map
from udock_lab.model import CardText, LessonCard

__all__ = ["Progress", "progress"]


def progress() -> Progress:
    """Show what you have done: lessons, predictions, exit tickets, exercises. It is kept in your own mdock home."""
    return Progress()


class Progress(Shown):
    """The map; read anew each time it is shown."""

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
        states = [standing(lesson, data).state for lesson in outline.COURSE]
        lesson = current()
        hint = CardText(text='To take a lesson again: `progress().reset("m2_1a_fork")`', kind="hint")
        counts = [(states.count(state), state) for state in reversed(STATES[1:])]
        done = f"{states.count('done')} of {len(states)} lessons done"
        headline = ", ".join([done, *(f"{count} {state}" for count, state in counts[1:] if count)])
        parts = (course_map(data, lesson.slug if lesson else ""), hint)
        return LessonCard(label="progress", headline=headline, parts=parts)
