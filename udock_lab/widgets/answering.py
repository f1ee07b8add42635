"""The questions of an exit ticket, each with a field to type into; Enter or Answer judges what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from udock_lab.display.html.cards import lesson_html, spoken
from udock_lab.display.markup import Markup, bare, html, joined
from udock_lab.display.text.cards import lesson_text
from udock_lab.errors import MdockError
from udock_lab.model import LessonCard
from udock_lab.widgets.controls import button, field, problem, status
from udock_lab.widgets.panel import Panel

__all__ = ["TicketPanel", "ticket_panel"]


class AskedOne(Protocol):
    """What the panel needs of one question."""

    words: str
    given: object

    @property
    def answered(self) -> bool:
        """There is an answer."""

    @property
    def explained(self) -> bool:
        """The explanation is shown."""


class Ticket(Protocol):
    """What the panel needs of an exit ticket (``lesson.exit_ticket``)."""

    @property
    def questions(self) -> Sequence[AskedOne]:
        """The questions, in order."""

    @property
    def right(self) -> tuple[bool, ...]:
        """For each question, whether it is answered and right."""

    def give(self, *given: object) -> None:
        """Take answers."""

    def give_reasons(self, *numbers: object) -> None:
        """Note that explanations were asked for."""

    def said_of(self, number: int, how_to_ask: str) -> str:
        """Return what there is to say of an answer."""

    def on_answer(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when something changed."""

    def card(self) -> LessonCard:
        """Return the static form."""


class TicketPanel(Panel):
    """Fields and buttons; what was answered elsewhere shows here too."""

    label = "exit ticket"

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.typed = _given(ticket)
        self.problem = ""
        super().__init__()
        ticket.on_answer(self._answered)

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        typing = {f"type {place}": self._typing(place) for place in range(len(self.typed))}
        return {**typing, "answer": self._answer, "explain": self._explain}

    def _typing(self, place: int) -> Callable[[Any], None]:
        """Return what takes the text of one field: each has an action of its own, so none overtakes another."""

        def take(value: Any) -> None:
            self.typed[place], self.problem = str(value[1]), ""

        return take

    def _answered(self) -> None:
        with self.lock:
            self.typed = [new or old for new, old in zip(_given(self.ticket), self.typed, strict=True)]
            if not any(question.answered for question in self.ticket.questions):
                self.typed, self.problem = [""] * len(self.typed), ""
        self.draw()

    def _answer(self, _: Any) -> None:
        if not any(text.strip() for text in self.typed):
            self.problem = "Nothing is typed yet, so nothing was judged.\nType an answer, then press Answer or Enter."
            return
        typed = [*self.typed]  # taking an answer writes all of them into the fields again
        self._do(lambda: self.ticket.give(*typed))

    def _explain(self, number: Any) -> None:
        self._do(lambda: self.ticket.give_reasons(int(number)))

    def _do(self, what: Callable[[], None]) -> None:
        try:
            what()
            self.problem = ""
        except MdockError as error:
            self.problem = str(error)

    def page(self) -> Markup:
        right = self.ticket.right
        headline = f"Exit ticket: {sum(right)} of {len(right)} right" if any(_given(self.ticket)) else "Exit ticket"
        return html(
            '<p class="verdict">{}</p>{}<div class="bar" data-key="answer">{}</div>{}',
            *(headline, joined(map(self._question, range(len(right))))),
            *(button("Answer", "answer", kind="main"), problem(self.problem)),
        )

    def _question(self, place: int) -> Markup:
        number, question = place + 1, self.ticket.questions[place]
        said = self.ticket.said_of(number, "the button Explain {} tells why") if question.answered else ""
        ask = ""
        if question.answered and not question.explained:
            ask = button(f"Explain {number}", "explain", str(number), label=f"Explain question {number}")
        return html(
            '<div data-key="question-{}"><p>{}. {}</p><div class="bar">{}{}</div>{}</div>',
            *(number, number, spoken(question.words)),
            *(field(f"answer to question {number}", f"type {place}", self.typed[place], size=28), ask, status(said)),
        )

    def text(self) -> str:
        return lesson_text(self.ticket.card())

    def picture(self) -> Markup:
        return bare(lesson_html(self.ticket.card()))


def _given(ticket: Ticket) -> list[str]:
    return [str(question.given) if question.answered else "" for question in ticket.questions]


def ticket_panel(ticket: Ticket) -> TicketPanel:
    """Return the panel of an exit ticket."""
    return TicketPanel(ticket)
