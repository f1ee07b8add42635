"""Where the learner is: the strip under a lesson's title, and the map of the course, both drawn from the ledger.

Both stand below the cell that begins the lesson, and follow what is answered further down: a display with an id is
drawn anew there (``update_display_data``), in every front end that Jupyter has. Elsewhere they stay as they were.
"""

from __future__ import annotations

import os

from udock_lab.display.html.cards import lesson_html
from udock_lab.display.markup import there
from udock_lab.display.text.cards import lesson_text
from udock_lab.lesson import outline
from udock_lab.lesson.ledger import Data
from udock_lab.lesson.showing import shell
from udock_lab.lesson.standing import standing, stars
from udock_lab.model import CardBox, CardMap, CardText, LessonCard

__all__ = ["LiveCard", "course_map", "strip"]


def course_map(data: Data, here: str = "") -> CardMap:
    """Return a box for each lesson, with what was answered, tried and scored."""
    return CardMap(boxes=tuple(_box(lesson, data, here) for lesson in outline.COURSE))


def _box(lesson: outline.Entry, data: Data, here: str) -> CardBox:
    stands = standing(lesson, data)
    notes = stands.said if stands.state else [f"{lesson.minutes} minutes"]
    last = lesson.exercise not in [one.exercise for one in outline.COURSE[_place(lesson) + 1 :]]  # that it belongs to
    scored = stars(lesson.exercise, data) if lesson.exercise and last else ""
    notes = [*notes, f"exercise {scored}"] if scored else notes
    return CardBox(
        short=lesson.short,
        title=lesson.title,
        state=stands.state,
        here=lesson.slug == here,
        notes=tuple(notes),
        leads_to=there(lesson.notebook, f"../../{lesson.notebook}"),
    )


def _place(lesson: outline.Entry) -> int:
    return outline.COURSE.index(lesson)


def strip(lesson: outline.Entry, data: Data) -> LessonCard:
    """Return what stands under a lesson's title: which lesson it is, what is answered, the exercise's stars.

    In the first lesson it is the map of the whole course.
    """
    stands, place = standing(lesson, data), _place(lesson)
    headline = f"Lesson {place + 1} of {len(outline.COURSE)}" + (f": {stands.state}" if stands.state else "")
    if place == 0:
        return LessonCard(label="the course", headline=headline, parts=(course_map(data, lesson.slug),))
    said = stands.said
    if lesson.exercise:
        said = [*said, f"exercise {stars(lesson.exercise, data) or 'not tried'}"]
    small = tuple(CardBox(
        short=box.short, title=box.title, state=box.state, here=box.here, leads_to=box.leads_to
    ) for box in course_map(data, lesson.slug).boxes)  # fmt: skip
    parts = (CardMap(boxes=small, strip=True), CardText(text=" · ".join(said)))
    return LessonCard(label="where you are", headline=headline, parts=parts)


class LiveCard:
    """A card below one cell that is drawn anew there when it has changed; only in a kernel's process."""

    def __init__(self) -> None:
        self._id = f"udock-lab-{os.urandom(8).hex()}"
        self._shown = ""

    def show(self, card: LessonCard) -> None:
        """Show it below the running cell, or draw it anew where it was shown first."""
        text = lesson_text(card)
        running = shell()
        if running is None or getattr(running, "kernel", None) is None or text == self._shown:
            return
        update, self._shown = bool(self._shown), text
        data = {"text/plain": text, "text/html": lesson_html(card)}
        running.display_pub.publish(data, transient={"display_id": self._id}, update=update)
