"""What a function said to all questions of M2.5, and which of it is right as far as one requirement goes.

What is another requirement's business counts neither way: a path as bytes, and an error in the place of None, are the
mistake of one requirement alone.
"""

from __future__ import annotations

import ast
import os
import re
from contextlib import suppress
from typing import NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.evidence import Said
from udock_lab.grading.exercises.m2_5_image_lookup.questions import Question

__all__ = ["NAME", "Answers", "answer_of", "content", "kind", "nothing", "right", "words_of"]

NAME = "find_image_by_name"


def answer_of(told: object) -> Said:
    """Read what a scene told of one search; of one that did not end ``how`` says why, ``shown`` in words."""
    said = ev.heard(told)
    if said is not None:
        return said
    how, shown = (told.get("how"), told.get("shown")) if isinstance(told, dict) else ("lost", "gave no answer")
    return Said(how=str(how), kind="", shown=str(shown))


def words_of(said: Said) -> str:
    """Say an answer in a report."""
    return ev.worded(said, NAME) if said.how in ("returned", "raised") else f"{NAME} {said.shown}"


def nothing(said: Said) -> bool:
    """Return whether the answer is None."""
    return said.returned and said.is_plain and said.plain is None


def content(said: Said) -> str | None:
    """Return the path in an answer, also where it is of a type that was not asked for."""
    if not said.returned:
        return None
    if isinstance(said.plain, str):
        return said.plain
    if isinstance(said.plain, bytes):
        return os.fsdecode(said.plain)
    made = re.fullmatch(r"(?:Pure)?(?:Posix)?Path\((.*)\)", said.shown)
    with suppress(ValueError, SyntaxError):
        return str(ast.literal_eval(made[1])) if made else None
    return None


def kind(said: Said) -> str:
    """Return what sort of answer it is: two failures of one sort are likely the same mistake."""
    if said.returned:
        return f"returned {said.shown}" if said.plain in ("", None, False) else f"returned some {said.kind}"
    return f"{said.how} {said.kind}"


def right(question: Question, said: Said) -> bool:
    """Return whether it is the right answer, in the right type."""
    if question.also and (nothing(said) or said.is_a("UnicodeError") or said.plain in question.also):
        return True
    return nothing(said) if question.path is None else said.returned and said.plain == question.path


class Answers(NamedTuple):
    """All questions and answers, by requirement (and ``probes``, by which nobody is judged); None: it was not asked.

    ``anew``: the answers about one table that changed. ``printed``: what the function wrote to standard output
    meanwhile. ``opened``: whether Python ever opened a table that was asked about.
    """

    asked: dict[str, list[Question]]
    said: dict[str, list[Said | None]]
    anew: list[Said]
    printed: str = ""
    opened: bool = True

    def of(self, key: str) -> list[tuple[Question, Said]]:
        """Return the questions of a requirement that were asked, with what was said."""
        pairs = zip(self.asked[key], self.said[key], strict=True)
        return [(question, said) for question, said in pairs if said is not None]

    def holds(self, question: Question, said: Said) -> bool:
        """Return whether it is right as far as the question's own requirement goes."""
        if question.key in ("finds", "none") or right(question, said):
            return right(question, said)
        if question.path is None:
            return self.stands_for_none(said)
        if question.key == "exact" and said.is_a("UnicodeError"):  # of letters and bytes judge path and damaged
            return True
        return content(said) in (question.path, *question.also)

    def stands_for_none(self, said: Said) -> bool:
        """Return whether this function answers so, and wrongly, where it finds nothing."""
        return kind(said) in {kind(other) for question, other in self.of("none") if not right(question, other)}

    def blind(self) -> bool:
        """Return whether it has found no image at all, so that finding nothing is no achievement."""
        return not any(content(said) == question.path for question, said in self.of("finds"))

    def is_known(self, said: Said) -> bool:
        """Return whether ``finds`` has failed in the same way."""
        return kind(said) in {kind(other) for question, other in self.of("finds") if not right(question, other)}
