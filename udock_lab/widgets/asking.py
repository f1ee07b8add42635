"""The choices of a prediction as radio buttons, and the button that locks the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from udock_lab.display.html.cards import lesson_html, spoken
from udock_lab.display.markup import Markup, attributes, bare, html, joined, verbatim
from udock_lab.display.text.cards import lesson_text
from udock_lab.errors import MdockError
from udock_lab.model import LessonCard
from udock_lab.widgets.controls import button, problem, status
from udock_lab.widgets.panel import Panel

__all__ = ["Asked", "Question", "question"]


class Asked(Protocol):
    """What the widget needs of a prediction (``lesson.predict``)."""

    question: str
    locked: str

    @property
    def settled(self) -> bool:
        """The machine has answered."""

    @property
    def labels(self) -> Sequence[str]:
        """The choices, in order."""

    def lock(self, *given: object) -> None:
        """Lock an answer."""

    def on_answer(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when the answer is locked or opened again."""

    def card(self) -> LessonCard:
        """Return the static form."""


class Question(Panel):
    """One question: arrow keys choose, Lock locks, and then it stays so."""

    label = "prediction"

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.chosen = ""
        self.problem = ""
        super().__init__()
        asked.on_answer(self._answered)

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        return {"choose": self._choose, "lock": self._lock}

    def _answered(self) -> None:
        """Update after an answer was locked, or opened again."""
        if not self.asked.locked:
            self.chosen = self.problem = ""
        self.draw()

    def _choose(self, value: Any) -> None:
        if not self.asked.locked:
            self.chosen, self.problem = str(value[1]), ""

    def _lock(self, _: Any) -> None:
        if not self.chosen:
            self.problem = "Nothing is chosen yet, so nothing was locked.\nChoose one of the answers, then press Lock."
            return
        try:
            self.asked.lock(self.chosen)
        except MdockError as error:
            self.problem = str(error)

    def page(self) -> Markup:
        locked = self.asked.locked
        choices = joined(self._choice(label, locked or self.chosen) for label in self.asked.labels)
        said = f"Your answer is locked: {locked}. {_next(self.asked.settled)}" if locked else ""
        press = html('<div class="bar" data-key="lock">{}</div>', button("Lock", "lock", kind="lock"))
        return html(
            '<fieldset><legend class="verdict">{}</legend><div class="choices">{}</div></fieldset>{}{}{}',
            *(spoken(self.asked.question), choices, "" if locked else press, problem(self.problem), status(said)),
        )

    def _choice(self, label: str, chosen: str) -> Markup:
        is_chosen, locked = label == chosen, bool(self.asked.locked)
        return html(
            '<label{}><input type="radio" name="choice" data-do="choose" value="{}"{}><span>{}</span></label>',
            *(attributes(kind="chosen" if locked and is_chosen else ""), verbatim(label)),
            *(attributes(checked=is_chosen, disabled=locked), label),
        )

    def text(self) -> str:
        return lesson_text(self.asked.card())

    def picture(self) -> Markup:
        return bare(lesson_html(self.asked.card()))


def _next(settled: bool) -> str:
    if settled:
        return "The machine has answered already: run the cell that settles it again to compare."
    return "Now let the machine answer: run the next cell."


def question(asked: Asked) -> Question:
    """Return the widget of a prediction."""
    return Question(asked)
