"""``exit_ticket``: two questions in a new setting, compared by program; nothing is given away before an answer."""

from __future__ import annotations

from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson.accepting import accepts
from udock_lab.lesson.ledger import Data, facts_in, facts_of, now, times_reset
from udock_lab.lesson.session import current, ledger
from udock_lab.lesson.showing import Shown, is_open
from udock_lab.model import CardText, LessonCard

__all__ = ["ExitTicket", "exit_ticket"]

Question = tuple[str, Any, str]


def exit_ticket(*questions: Question) -> ExitTicket:
    """Show questions, each given as (question, answer, explanation).

    The answer is a number or text, a list or set of those that are accepted, or a function that says whether what was
    given is right. How it may be spelled is in :mod:`udock_lab.lesson.accepting`.
    """
    if not questions or any(len(question) != 3 for question in questions):
        raise UsageError("exit_ticket takes questions, each as (question, answer, explanation).")
    ticket = ExitTicket(questions)
    lesson = current()
    if lesson is not None:
        lesson.tickets["ticket"] = ticket
        lesson.note_asked("ticket", *(question[0] for question in questions))
    ticket.show()
    return ticket


class ExitTicket(Shown):
    """The questions, and what was answered so far."""

    def __init__(self, questions: tuple[Question, ...]) -> None:
        self.questions = questions
        self.given: list[object] = [None] * len(questions)
        lesson = current()
        self.slug = lesson.slug if lesson else ""
        self._resets = -1  # of the lesson, when the answers were last compared with the learner's home
        if self.slug:
            self._take(ledger().read())

    def _take(self, data: Data) -> None:
        """Take over what was answered before, here or in another notebook. It belongs to the words of its question."""
        if times_reset(data, self.slug) > self._resets:
            self._resets = times_reset(data, self.slug)
            self.reopen()
        stored = facts_of(facts_of(data, "answers"), self.slug)
        pairs = zip(self.questions, self.given, strict=True)
        self.given = [stored.get(question[0], given) for question, given in pairs]

    def reopen(self) -> None:
        """Forget what was answered."""
        self.given = [None] * len(self.questions)

    def answer(self, *given: object) -> ExitTicket:
        """Give your answers in order; None or ... for one that you leave open.

        May be called again.
        """
        if len(given) > len(self.questions):
            raise UsageError(
                f"There are {len(self.questions)} questions, and you gave {len(given)} answers.",
                "Write your answers with a comma between them, text in quotation marks.",
            )
        self._store({place: _sayable(answer) for place, answer in enumerate(given) if not is_open(answer)})
        self.show()
        return self

    @property
    def right(self) -> tuple[bool, ...]:
        """For each question, whether it is answered and right."""
        pairs = zip(self.questions, self.given, strict=True)
        return tuple(not is_open(given) and accepts(question[1], given, question[0]) for question, given in pairs)

    def _store(self, given: dict[int, object]) -> None:
        """Keep answers, each by its question's place. What was right once stays so: the explanation has been read."""

        def make(data: Data) -> None:
            self._take(data)
            self._fill_in(given)
            facts = facts_in(facts_in(data["tickets"], self.slug), "ticket")
            before = facts.get("right")
            known = before if isinstance(before, list) and len(before) == len(self.right) else [False] * len(self.right)
            facts["right"] = [bool(was) or now for was, now in zip(known, self.right, strict=True)]
            pairs = zip(self.questions, self.given, strict=True)
            answers = {question[0]: _plain(answer) for question, answer in pairs if not is_open(answer)}
            facts_in(facts_in(data, "answers"), self.slug).update(answers)
            answered = facts_in(facts_in(data, "answered"), self.slug)
            for place in given:
                when = {"at": now(), "round": times_reset(data, self.slug)}
                facts_in(answered, self.questions[place][0]).update(
                    {key: value for key, value in when.items() if value}
                )

        if self.slug and given:
            ledger().change(make)
        self._fill_in(given)  # without a lesson, or where the home cannot be written

    def _fill_in(self, given: dict[int, object]) -> None:
        for place, answer in given.items():
            self.given[place] = answer

    def card(self) -> LessonCard:
        parts = []
        for number, (question, right) in enumerate(zip(self.questions, self.right, strict=True), 1):
            given = self.given[number - 1]
            parts.append(CardText(text=f"{number}. {question[0]}"))
            if not is_open(given):
                verdict = "right" if right else "not yet"
                parts.append(CardText(text=f"Your answer {given}: {verdict}. {question[2]}", kind="hint"))
        opened = sum(is_open(given) for given in self.given)
        if opened:
            parts.append(CardText(text=f"Not answered: {opened} of {len(self.questions)}. Type `ticket.answer(...)`"))
        headline = f"Exit ticket: {sum(self.right)} of {len(self.questions)} right" if self._begun else "Exit ticket"
        mood = "good" if all(self.right) else "some" if self._begun else ""
        return LessonCard(label="exit ticket", headline=headline, mood=mood, parts=tuple(parts))

    @property
    def _begun(self) -> bool:
        return any(not is_open(given) for given in self.given)


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
