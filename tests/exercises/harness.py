"""The corpus: answers to the exercises that are known to be right, and wrong ones with what they get wrong.

``corpus/<slug>/right_*.py`` earn every point, public and hidden. ``corpus/<slug>/wrong_*.py`` say in their first
lines what the learner believes and which requirement must be the first that does not hold::

    \"\"\"The child goes on with the parent's code.\"\"\"
    # misconception: fork starts a new program
    # fails: becomes

``# fails: hidden:<key>`` is for an answer in which only the lecturer's half finds something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from udock_lab.grading import SLUGS, Submission, judge
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.sources import exercise, hidden_exercise
from udock_lab.model import CheckReport, Judgement

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
    "cross_section",
    "mark",
    "part",
]

CORPUS = Path(__file__).parent / "corpus"
COURSE = Path(__file__).parents[2] / "exercises"
INSTRUCTOR, SOURCE = COURSE / "instructor", COURSE / "source"
PARTS = 8  # of the corpus: a run of the tests judges one
EXERCISES = SLUGS


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One file of the corpus. ``fails`` is the key of a requirement, empty for a right answer."""

    slug: str
    name: str
    source: str
    misconception: str = ""
    fails: str = ""
    in_hidden: bool = False

    @property
    def right(self) -> bool:
        return not self.fails


def answers(slug: str) -> list[Answer]:
    """All answers of an exercise, the right ones first. ValueError where a wrong one does not say what it is."""
    return [_answer(slug, path) for path in sorted((CORPUS / slug).glob("*.py"))]


def _answer(slug: str, path: Path) -> Answer:
    source = path.read_text()
    if path.name.startswith("right_"):
        return Answer(slug=slug, name=path.stem, source=source)
    said = dict(re.findall(r"^# (misconception|fails): *(\S.*?) *$", source, re.MULTILINE))
    if not path.name.startswith("wrong_") or set(said) != {"misconception", "fails"}:
        raise ValueError(f"{path.name}: wants to be right_*.py or wrong_*.py, with # misconception: and # fails:")
    hidden = said["fails"].startswith("hidden:")
    fails = said["fails"].removeprefix("hidden:")
    return Answer(
        slug=slug, name=path.stem, source=source, misconception=said["misconception"], fails=fails, in_hidden=hidden
    )


def both_halves(slug: str) -> tuple[Exercise, Exercise]:
    """What learners can check, and what is judged when they hand in."""
    return exercise(slug), hidden_exercise(slug, INSTRUCTOR)


def part(which: str) -> list[Answer]:
    """``all`` answers to all exercises, or an eighth: every eighth from a number on, of which the next follow in turn."""
    everything = [answer for slug in EXERCISES for answer in answers(slug)]
    return everything if which == "all" else everything[int(which) % PARTS :: PARTS]


def cross_section(slug: str) -> list[Answer]:
    """Two right ones and three wrong ones, always the same."""
    right = [answer for answer in answers(slug) if answer.right]
    wrong = [answer for answer in answers(slug) if not answer.right]
    return [right[0], right[-1], wrong[0], wrong[len(wrong) // 2], wrong[-1]]


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What the judge made of an answer. ``complaint`` is empty where that is what the corpus says it should be."""

    answer: Answer
    public: CheckReport
    hidden: CheckReport | None
    complaint: str

    @property
    def reports(self) -> list[CheckReport]:
        return [self.public, self.hidden] if self.hidden else [self.public]


def mark(answer: Answer) -> Marks:
    """Judge it. The hidden half runs where the public one leaves the answer open."""
    public_half, hidden_half = both_halves(answer.slug)
    submission = Submission(source=answer.source)
    public = judge(public_half, submission)
    hidden = judge(hidden_half, submission) if answer.right or answer.in_hidden else None
    said = [part for part in (public, hidden) if part]
    complaint = _should_be_right(said) if answer.right else _should_be_wrong(answer, said)
    return Marks(answer=answer, public=public, hidden=hidden, complaint=complaint)


def _should_be_right(reports: list[CheckReport]) -> str:
    """A requirement that this machine cannot judge counts neither way."""
    for report in reports:
        if (failed := report.first_failure) is not None:
            return f"false reject: {_words(failed)}"
        if report.notes and not all(map(_is_about_the_machine, report.notes)):
            return f"false reject: {'; '.join(report.notes)}"
        if unreached := [j for j in report.judgements if j.passed is None and not j.refused]:
            return f"false reject: {unreached[0].requirement.key} was never judged"
    return ""


def _is_about_the_machine(note: str) -> bool:
    return note.startswith(("Judged by effects", "This machine"))


def _should_be_wrong(answer: Answer, reports: list[CheckReport]) -> str:
    """Where only effects are seen, some mistakes show later than they happen."""
    report = reports[-1] if answer.in_hidden else reports[0]
    if answer.in_hidden and reports[0].first_failure is not None:
        return f"fails before the hidden half: {_words(reports[0].first_failure)}"
    judged = {judgement.requirement.key: judgement for judgement in report.judgements}[answer.fails]
    if judged.refused:
        return ""  # this machine cannot judge it
    failed = report.first_failure
    if failed is None:
        return f"false accept: {answer.fails} should not hold; notes: {report.notes}"
    if failed.requirement.key != answer.fails and not any(
        note.startswith("Judged by effects") for note in report.notes
    ):
        return f"{answer.fails} should be the first that does not hold, not {_words(failed)}"
    return ""


def _words(judgement: Judgement) -> str:
    return f"{judgement.requirement.key}: expected {judgement.expected}, seen {judgement.seen}"
