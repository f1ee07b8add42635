"""What an experiment found: a table, a picture where numbers are seen better, and the program that ran, folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from udock_lab.display.html.cards import lesson_html
from udock_lab.display.markup import Markup, details, html, joined, verbatim
from udock_lab.lesson.experiments.running import source_of
from udock_lab.lesson.showing import Shown
from udock_lab.model import CardLines, CardTable, CardText, LessonCard

__all__ = ["Finding", "Source"]


class Source(Shown):
    """The program behind an experiment, to be read."""

    def __init__(self, name: str, program: Any) -> None:
        self.name, self.text = name, source_of(program)

    def card(self) -> LessonCard:
        lines = CardLines(title=f"what {self.name} runs", lines=tuple(self.text.splitlines()))
        return LessonCard(label="source", headline=f"The source of {self.name}", parts=(lines,))


class Finding(Shown):
    """A table under a headline. ``call`` names the method of a lesson that made it, ``program`` is what ran."""

    def __init__(
        self,
        headline: str,
        head: Sequence[str],
        rows: Sequence[Sequence[object]],
        *,
        call: str,
        program: Any,
        picture: Callable[[], Markup | None] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self.headline = headline
        self.table = CardTable(head=tuple(head), rows=tuple(tuple(map(str, row)) for row in rows))
        self.source = Source(f"lesson.{call}", program)
        self._call, self._picture, self._notes = call, picture, notes

    def card(self) -> LessonCard:
        where = CardText(text=f"the program that ran: `lesson.source(lesson.{self._call})`", kind="hint")
        return self._card(where)

    def _card(self, *more: CardText) -> LessonCard:
        notes = (CardText(text=note) for note in self._notes)
        return LessonCard(label="experiment", headline=self.headline, parts=(self.table, *notes, *more))

    def _repr_html_(self) -> str:
        picture = self._picture() if self._picture is not None else None
        text = html('<pre class="given" tabindex="0">{}</pre>', verbatim(self.source.text))
        folded = details("the program that ran", text, is_open=False)
        return lesson_html(self._card(), joined([picture if picture is not None else "", folded]))
