"""``exit_ticket``: two questions in a new setting, compared by program; nothing is given away before two tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson.accepting import accepts
from udock_lab.lesson.explanations import TICKETS
from udock_lab.lesson.ledger import Data, facts_in, facts_of, now, times_reset
from udock_lab.lesson.session import current, ledger
from udock_lab.lesson.showing import Shown, has_panels, is_open, live
from udock_lab.model import CardText, LessonCard

__all__ = ["ExitTicket", "exit_ticket"]

TRIES = 2  # wrong answers after which the explanation comes unasked

Question = tuple[str, str] | tuple[str, Any, str]


def exit_ticket(*questions: Question) -> ExitTicket:
    """Show questions, each given as (name, question); what is right, and why, is kept with the lesson.

    A question of your own is (question, answer, explanation). The answer is a number or text, a list or set of those
    that are accepted, or a function that says whether what was given is right. How it may be spelled is in
    :mod:`udock_lab.lesson.accepting`.
    """
    lesson = current()
    ticket = ExitTicket([_whole(question, lesson.slug if lesson else "") for question in questions])
    if lesson is not None:
        lesson.tickets["ticket"] = ticket
        lesson.note_asked("ticket", *(asked.words for asked in ticket.questions))
    ticket.show()
    return ticket


def _whole(question: Question, slug: str) -> TicketQuestion:
    """Return a question with its answer and explanation."""
    if len(question) == 3:
        return TicketQuestion(*question)
    known = TICKETS.get(slug, {})
    if len(question) != 2 or question[0] not in known:
        raise UsageError(
            "exit_ticket takes questions, each as (question, answer, explanation), or as (name, question).",
            f"The names of this lesson are: {', '.join(known)}" if known else "Outside a lesson there are no names.",
        )
    return TicketQuestion(question[1], *known[question[0]])


class TicketQuestion:
    """One question, and how far its learner is: the last answer, the number of wrong ones, an explanation asked for."""

    def __init__(self, words: str, answer: Any, explanation: str) -> None:
        self.words, self.answer, self.explanation = words, answer, explanation
        self.reopen()

    def reopen(self) -> None:
        """Forget what was answered."""
        self.given: object = None
        self.wrong = 0
        self.asked_why = False

    @property
    def answered(self) -> bool:
        """There is an answer."""
        return not is_open(self.given)

    @property
    def right(self) -> bool:
        """It is answered, and right."""
        return self.answered and accepts(self.answer, self.given, self.words)

    @property
    def explained(self) -> bool:
        """Whether the explanation is shown: after a right answer, a second wrong one, or because it was asked for."""
        return self.answered and (self.right or self.asked_why or self.wrong >= TRIES)

    def take(self, answer: object) -> None:
        """Take an answer. The same one again, as when a cell is run twice, is no other try."""
        if not self.answered or _plain(self.given) != _plain(answer):
            self.given = answer
            self.wrong += not self.right

    def restore(self, answer: object, facts: dict[str, Any]) -> None:
        """Take what the learner's home holds. Earlier versions did not count."""
        self.given = answer
        wrong = facts.get("wrong")
        self.wrong = max(self.wrong, wrong if isinstance(wrong, int) else int(not self.right))
        self.asked_why = self.asked_why or facts.get("why") is True

    def facts(self) -> dict[str, Any]:
        """Return what the learner's home is to hold, beside the answer and when it was given."""
        return ({"wrong": self.wrong} if self.wrong else {}) | ({"why": True} if self.asked_why else {})


class ExitTicket(Shown):
    """The questions, and what was answered so far."""

    def __init__(self, questions: list[TicketQuestion]) -> None:
        if not questions:
            raise UsageError("exit_ticket takes at least one question.")
        self.questions = questions
        lesson = current()
        self.slug = lesson.slug if lesson else ""
        self._panel: Any = None
        self._listeners: list[Callable[[], None]] = []
        self._resets = -1  # of the lesson, when the answers were last compared with the learner's home
        if self.slug:
            self._take(ledger().read())

    def _take(self, data: Data) -> None:
        """Take over what was answered before, here or in another notebook. It belongs to the words of its question."""
        if times_reset(data, self.slug) > self._resets:
            self._resets = times_reset(data, self.slug)
            self.reopen()
        stored = facts_of(facts_of(data, "answers"), self.slug)
        known = facts_of(facts_of(data, "answered"), self.slug)
        for question in self.questions:
            if question.words in stored:
                question.restore(stored[question.words], facts_of(known, question.words))

    def reopen(self) -> None:
        """Forget what was answered."""
        for question in self.questions:
            question.reopen()
        self._tell()

    def on_answer(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when something is answered, explained or opened again (a panel redraws itself)."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
        self.redraw()

    def answer(self, *given: object) -> ExitTicket:
        """Give your answers in order; None or ... for one that you leave open.

        May be called again.
        """
        self.give(*given)
        self.show()
        return self

    def give(self, *given: object) -> None:
        """Take answers without showing anything, as the panel's button does."""
        if len(given) > len(self.questions):
            raise UsageError(
                f"There are {len(self.questions)} questions, and you gave {len(given)} answers.",
                "Write your answers with a comma between them, text in quotation marks.",
            )
        self._store({place: _sayable(answer) for place, answer in enumerate(given) if not is_open(answer)})

    def explain(self, *numbers: object) -> ExitTicket:
        """Show why: for the questions with these numbers, or for all that are answered. Each needs a try first."""
        self.give_reasons(*numbers)
        self.show()
        return self

    def give_reasons(self, *numbers: object) -> None:
        """Note that explanations were asked for, without showing anything."""
        count = len(self.questions)
        for number in numbers:
            if type(number) is not int or not 1 <= number <= count:
                raise UsageError(f"There is no question {number!r}.", f"They have the numbers 1 to {count}.")
        wanted = [number - 1 for number in numbers if isinstance(number, int)]
        wanted = wanted or [place for place, question in enumerate(self.questions) if question.answered]
        unanswered = [place + 1 for place in wanted or [0] if not self.questions[place].answered]
        if unanswered:
            raise UsageError(
                f"Question {unanswered[0]} is not answered yet, and its explanation would tell the answer.",
                "Give it a try first: `ticket.answer(...)`",
            )
        self._store({}, why=wanted)

    @property
    def right(self) -> tuple[bool, ...]:
        """For each question, whether it is answered and right."""
        return tuple(question.right for question in self.questions)

    def _store(self, given: dict[int, object], why: list[int] | None = None) -> None:
        """Keep answers, each by its question's place. What was right once stays so: the explanation has been read."""

        def make(data: Data) -> None:
            self._take(data)
            self._fill_in(given, why or [])
            facts = facts_in(facts_in(data["tickets"], self.slug), "ticket")
            before = facts.get("right")
            known = before if isinstance(before, list) and len(before) == len(self.right) else [False] * len(self.right)
            facts["right"] = [bool(was) or now for was, now in zip(known, self.right, strict=True)]
            answers = {question.words: _plain(question.given) for question in self.questions if question.answered}
            facts_in(facts_in(data, "answers"), self.slug).update(answers)
            answered = facts_in(facts_in(data, "answered"), self.slug)
            when = {"at": now(), "round": times_reset(data, self.slug)}
            for place in {*given, *(why or [])}:
                question = self.questions[place]
                own = facts_in(answered, question.words)
                own.update(question.facts())
                own.update({key: value for key, value in when.items() if value and place in given})

        if self.slug and (given or why):
            ledger().change(make)
        self._fill_in(given, why or [])  # without a lesson, or where the home cannot be written

    def _fill_in(self, given: dict[int, object], why: list[int]) -> None:
        for place, answer in given.items():
            self.questions[place].take(answer)
        for place in why:
            self.questions[place].asked_why = True
        self._tell()

    def _view(self) -> dict[str, Any]:
        """Return fields and buttons where they can be shown, while something is open."""
        if all(self.right):
            return {}
        self._panel, view = live("ticket_panel", self, panel=self._panel)
        return view

    def card(self) -> LessonCard:
        parts = []
        for number, question in enumerate(self.questions, 1):
            parts.append(CardText(text=f"{number}. {question.words}"))
            if question.answered:
                parts.append(CardText(text=self.said_of(number), kind="hint"))
        opened = sum(not question.answered for question in self.questions)
        if opened:
            say = "To answer here, run this cell. Or type" if has_panels() else "Type"
            parts.append(CardText(text=f"Not answered: {opened} of {len(self.questions)}. {say} `ticket.answer(...)`"))
        headline = f"Exit ticket: {sum(self.right)} of {len(self.questions)} right" if self._begun else "Exit ticket"
        mood = "good" if all(self.right) else "some" if self._begun else ""
        return LessonCard(label="exit ticket", headline=headline, mood=mood, parts=tuple(parts))

    def said_of(self, number: int, how_to_ask: str = "`ticket.explain({})` tells why") -> str:
        """Return what there is to say of the answer to a question: whether it is right, and why once that is earned."""
        question = self.questions[number - 1]
        verdict = "right" if question.right else "not yet"
        more = question.explanation if question.explained else f"Try once more; {how_to_ask.format(number)}."
        return f"Your answer {question.given}: {verdict}. {more}"

    @property
    def _begun(self) -> bool:
        return any(question.answered for question in self.questions)


def _sayable(answer: object) -> object:
    """Raise UsageError for what has no text form.

    A number of more than 4,300 digits has none.
    """
    try:
        str(answer)
    except Exception:
        raise UsageError("An answer is a number or text, and this one cannot be written out.") from None
    return answer


def _plain(answer: object) -> object:
    """Return the answer as JSON can hold it; what JSON cannot, as it is shown."""
    return answer if type(answer) in (bool, int, float, str) else str(answer)
