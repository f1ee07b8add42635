"""The corpus of the seven exercises (udock_lab/grading/corpus.py says what a corpus is), and the parts it is run in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from udock_lab.grading import SLUGS, corpus
from udock_lab.grading.corpus import Answer, Marks
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.sources import exercise, hidden_exercise

__all__ = [
    "CORPUS",
    "COURSE",
    "EXERCISES",
    "INSTRUCTOR",
    "PARTS",
    "SOURCE",
    "Answer",
    "Marks",
    "answers",
    "both_halves",
    "chosen",
    "cross_section",
    "mark",
    "part",
]

CORPUS = Path(__file__).parent / "corpus"
COURSE = Path(__file__).parents[2] / "exercises"
INSTRUCTOR, SOURCE = COURSE / "instructor", COURSE / "source"
PARTS = 8  # of the corpus, as `make corpus PART=3` takes one
T = TypeVar("T")
EXERCISES = SLUGS


def answers(slug: str) -> list[Answer]:
    """All answers of an exercise, the right ones first."""
    return corpus.answers(slug, CORPUS / slug)


def both_halves(slug: str) -> tuple[Exercise, Exercise]:
    """What learners can check, and what is judged when they hand in."""
    return exercise(slug), hidden_exercise(slug, INSTRUCTOR)


def mark(answer: Answer) -> Marks:
    """Judge it, public half and hidden half."""
    return corpus.mark(answer, *both_halves(answer.slug))


def part(which: str) -> list[Answer]:
    """Answers to all exercises, so many of them as ``which`` says (chosen)."""
    return chosen([answer for slug in EXERCISES for answer in answers(slug)], which)


def chosen(everything: Sequence[T], which: str) -> list[T]:
    """``all``, or every eighth from a number on (``3``), or every other step (``3/16``). The next number has the next."""
    if which == "all":
        return [*everything]
    number, _, parts = which.partition("/")
    step = int(parts or PARTS)
    return [*everything[int(number) % step :: step]]


def cross_section(slug: str) -> list[Answer]:
    """Two right ones and three wrong ones, always the same."""
    right = [answer for answer in answers(slug) if answer.right]
    wrong = [answer for answer in answers(slug) if not answer.right]
    return [right[0], right[-1], wrong[0], wrong[len(wrong) // 2], wrong[-1]]
