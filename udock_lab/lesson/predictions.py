"""``predict``: a question answered before the cell that settles it runs, then compared by program.

>>> lines = predict("lines", "How many lines appear?", {"one": "...", "two": "..."})   # doctest: +SKIP
>>> lines.answer("two")   # doctest: +SKIP
>>> lines.settle(len(result.lines))   # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson.explanations import PREDICTIONS
from udock_lab.lesson.ledger import Data, facts_in, facts_of, now, times_reset
from udock_lab.lesson.session import current, ledger
from udock_lab.lesson.showing import Shown, has_panels, is_open, live
from udock_lab.model import CardChoices, CardText, LessonCard
from udock_lab.text.nearest import nearest

__all__ = ["Prediction", "Reasons", "Verdict", "predict"]

_NOT_YET = object()


def predict(name: str, question: str, choices: Sequence[str] | Mapping[str, str]) -> Prediction:
    """Ask, and show the question with its choices; where widgets work, with buttons.

    ``name`` is the variable that the notebook keeps it in: messages say ``name.answer("...")``. ``choices`` are
    labels; a sentence for each, for a wrong choice the misconception behind it, for the right one why it is so, is kept
    with the lesson. A question of your own maps each label to its sentence. A label that may be observed is written as
    ``str`` writes the observation: ``"2"`` for 2, ``"True"`` for True.
    An answer that is stored already stays locked; ``progress().reset(slug)`` opens it again.
    """
    lesson = current()
    sentences = (
        choices if isinstance(choices, Mapping) else PREDICTIONS.get(lesson.slug if lesson else "", {}).get(name)
    )
    labels = [] if isinstance(choices, str) else [str(label) for label in choices]
    if not name.isidentifier() or len(set(labels)) < 2:
        raise UsageError("predict takes a name of Python, a question, and at least two choices.")
    said = {str(label): sentence for label, sentence in (sentences or {}).items()}
    asked = Prediction(name, question, {label: said.get(label, "") for label in labels})
    if lesson is not None:
        before = lesson.predictions.get(name)
        if isinstance(before, Prediction) and before.same_as(asked):
            asked = before
            asked.refresh()
        lesson.predictions[name] = asked
    asked.show()
    return asked


class Prediction(Shown):
    """One question. ``locked`` is the answer, empty before; ``late`` that it was given after the run.

    What the learner's home says goes first: another notebook may have locked an answer meanwhile, or taken it back
    with a reset. Where the home cannot be read or written, what is known here stands.
    """

    def __init__(self, name: str, question: str, choices: dict[str, str]) -> None:
        self.name, self.question, self.choices = name, question, choices
        self._lesson = current()
        self.slug = self._lesson.slug if self._lesson else ""
        self.locked = ""
        self.late = False
        self._observed: object = _NOT_YET
        self._listeners: list[Callable[[], None]] = []
        self._widget: Any = None
        self._resets = -1  # of the lesson, when the answer was last compared with the learner's home
        self.refresh()

    def same_as(self, other: Prediction) -> bool:
        """Return whether it is the same question, asked by the same cell once more."""
        return (self.name, self.question, self.choices) == (other.name, other.question, other.choices)

    def refresh(self) -> None:
        """Take over what was answered, or taken back, elsewhere."""
        if self.slug:
            before = self.locked
            self._take(ledger().read())
            if self.locked != before:
                self._tell()

    def _take(self, data: Data) -> None:
        stored = facts_of(facts_of(data["predictions"], self.slug), self.name)
        answer, resets = stored.get("answer"), times_reset(data, self.slug)
        if isinstance(answer, str) and answer in self.choices:  # the question may have changed since
            self.locked, self.late, self._resets = answer, bool(stored.get("late")), resets
        elif resets > self._resets:
            self.locked, self.late, self._observed, self._resets = "", False, _NOT_YET, resets

    @property
    def labels(self) -> tuple[str, ...]:
        """The choices, in order."""
        return tuple(self.choices)

    @property
    def settled(self) -> bool:
        """The machine has answered."""
        return self._observed is not _NOT_YET

    @property
    def right(self) -> bool:
        """Locked, settled, and the same."""
        return self.settled and self.locked == str(self._observed)

    def on_answer(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when the answer is locked or opened again (a widget redraws itself)."""
        self._listeners.append(listener)

    def answer(self, *given: object) -> Prediction:
        """Lock an answer, one of the choices, and show it. UsageError for anything else; then nothing is locked.

        None or ``...`` leaves the question open, so that a cell which still holds its dots stops no Run All.
        """
        if len(given) != 1 or not is_open(given[0]):
            self.lock(*given)
        self.show()
        return self

    def lock(self, *given: object) -> None:
        """Lock an answer without showing anything, as the widget's button does.

        A locked answer stays.
        """
        label, before = self._label(given), self.locked
        self._store(label)
        if self.locked != before:
            self._tell()
        if self.locked != label:
            again = f'progress().reset("{self.slug}")' if self.slug else "restart the kernel"
            raise UsageError(
                f"Your answer {self.locked!r} is locked: a prediction counts because it stays.",
                f"To take the whole lesson again: {again}",
            )

    def reopen(self) -> None:
        """Take the answer back, as ``progress().reset`` does; the question is as if never asked."""
        self.locked, self.late, self._observed = "", False, _NOT_YET
        self._tell()

    def settle(self, observed: object) -> Verdict:
        """Compare the answer with what the machine did. ``str(observed)`` is the label of a choice, or of none.

        Without an answer (Run All) the verdict is withheld; an answer from now on counts as given after the run.
        """
        self.refresh()
        self._observed = observed
        if self.locked:
            self._store()
        if self._lesson is not None:
            self._lesson.note_asked("predictions", self.name)
        verdict = Verdict(self)
        verdict.show()
        return verdict

    def _label(self, given: tuple[object, ...]) -> str:
        """Return the choice that is meant: blanks around it and capitals do not matter."""
        choices = ", ".join(self.labels)
        if len(given) != 1:
            raise UsageError(f"{self.name}.answer takes one of the choices.", f"They are: {choices}")
        meant = str(given[0]).strip()
        same = [label for label in self.labels if label.casefold() == meant.casefold()]
        if not same:
            near = nearest(meant, self.labels)
            guess = f" Did you mean {near!r}?" if near else ""
            raise UsageError(f"{meant!r} is none of the choices, so nothing was locked.{guess}", f"They are: {choices}")
        return meant if meant in self.choices else same[0]

    def _store(self, answer: str = "") -> None:
        """Keep what is locked, or else lock ``answer``: in one change, so of two notebooks at once one is first."""

        def make(data: Data) -> None:
            self._take(data)
            self._lock_unless_locked(answer)
            if self.locked:
                lesson = facts_in(data["predictions"], self.slug)
                stored = facts_of(lesson, self.name)
                same = stored if stored.get("answer") == self.locked else _locked_now(data, self.slug)
                lesson[self.name] = same | {"answer": self.locked, "late": self.late} | self._verdict()

        if self.slug:
            ledger().change(make)
        self._lock_unless_locked(answer)  # without a lesson, or where the home cannot be written

    def _lock_unless_locked(self, answer: str) -> None:
        if answer and not self.locked:
            self.locked, self.late = answer, self.settled

    def _verdict(self) -> dict[str, str]:
        return {"verdict": "right" if self.right else "wrong"} if self.settled else {}

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
        self.redraw()

    def sentence(self, label: str) -> str:
        """Return a choice, and why it is right or wrong."""
        return f"{label}: {self.choices[label]}" if self.choices[label] else label

    def explain(self) -> Reasons:
        """Show why each choice is right or wrong: once an answer is locked, because it tells the right one."""
        self.refresh()
        if not self.locked:
            raise UsageError("The explanation would tell the answer. Lock yours first.", f"Type {self.how_to_answer()}")
        reasons = Reasons(self)
        reasons.show()
        return reasons

    def how_to_answer(self) -> str:
        """Return what to type."""
        return f'`{self.name}.answer("...")` with one of: {", ".join(self.labels)}'

    def card(self) -> LessonCard:
        choices = CardChoices(labels=self.labels, chosen=self.locked)
        if self.locked and self.settled:
            verdict = Verdict(self).card()
            parts = (choices, CardText(text=verdict.headline), *verdict.parts)
            return LessonCard(label="prediction", headline=self.question, mood=verdict.mood, parts=parts)
        say = f"Before you run the next cell, type {self.how_to_answer()}"
        if has_panels():
            say = f"To answer here, run this cell. Or type, before you run the next one, {self.how_to_answer()}"
        if self.locked:
            say = f"Your answer is locked: {self.locked}. Now let the machine answer."
        return LessonCard(label="prediction", headline=self.question, parts=(choices, CardText(text=say, kind="hint")))

    def _view(self) -> dict[str, Any]:
        """Return buttons where they can be shown: in a kernel, while the question is open.

        Elsewhere text or HTML is shown.
        """
        if self.locked:
            return {}
        self._widget, view = live("question", self, panel=self._widget)
        return view


def _locked_now(data: Data, slug: str) -> dict[str, Any]:
    """Return when an answer was locked, and after how many resets, if any."""
    resets = times_reset(data, slug)
    return {"at": now()} | ({"round": resets} if resets else {})


class Verdict(Shown):
    """What settling a prediction came to."""

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        self.right = prediction.right
        self.answered = bool(prediction.locked)

    def card(self) -> LessonCard:
        asked, observed = self.prediction, str(self.prediction._observed)
        if not self.answered:
            say = "In the question above choose an answer and press Lock, or type" if has_panels() else "Type"
            return LessonCard(label="verdict", headline="No verdict yet: you have made no prediction.", parts=(
                CardText(text=f"{say} {asked.how_to_answer()}", kind="hint"),
            ))  # fmt: skip
        parts = [CardText(text=asked.sentence(asked.locked))]
        late = [CardText(text="Answered after the run.", kind="note")] if asked.late else []
        if self.right:
            headline, mood = f"Right. You said {asked.locked}, and so did the machine.", "good"
        elif observed in asked.choices:
            headline, mood = f"Not what happened. You said {asked.locked}, the machine says {observed}.", "some"
            parts.append(CardText(text=asked.sentence(observed)))
        else:
            headline, mood = f"The machine did something that no choice names: {observed}.", "some"
            parts = [CardText(text=f"You said {asked.locked}. None of the choices is right on this machine, today.")]
        return LessonCard(label="verdict", headline=headline, mood=mood, parts=tuple(parts + late))


class Reasons(Shown):
    """Why each choice of a question is right or wrong."""

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction

    def card(self) -> LessonCard:
        asked = self.prediction
        parts = tuple(CardText(text=asked.sentence(label)) for label in asked.labels)
        return LessonCard(label="explanation", headline=asked.question, parts=parts)
