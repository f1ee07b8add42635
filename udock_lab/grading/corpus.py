"""The corpus of an exercise: answers that are known to be right, and wrong ones with what they get wrong.

``right_*.py`` earn every point, public and hidden. ``wrong_*.py`` say in their first lines what the learner believes
and which requirement must be the first that does not hold::

    \"\"\"The child goes on with the parent's code.\"\"\"
    # misconception: fork starts a new program
    # fails: becomes

``# fails: hidden:<key>`` is for an answer in which only the lecturer's half finds something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from udock_lab.errors import UsageError
from udock_lab.grading.checking import judge
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport, Judgement

__all__ = ["Answer", "Marks", "answers", "mark"]


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
        """It earns every point."""
        return not self.fails


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What the judge made of an answer. ``complaint`` is empty where that is what the corpus says it should be."""

    answer: Answer
    public: CheckReport
    hidden: CheckReport | None
    complaint: str

    @property
    def reports(self) -> list[CheckReport]:
        """The reports of both halves, as far as they were judged."""
        return [self.public, self.hidden] if self.hidden else [self.public]


def answers(slug: str, folder: Path) -> list[Answer]:
    """Return all answers in a folder, the right ones first.

    UsageError where a file is neither, or a wrong one does not say what it is.
    """
    return [_answer(slug, path) for path in sorted(folder.glob("*.py"))]


def _answer(slug: str, path: Path) -> Answer:
    source = path.read_text()
    if path.name.startswith("right_"):
        return Answer(slug=slug, name=path.stem, source=source)
    said = dict(re.findall(r"^# (misconception|fails): *(\S.*?) *$", source, re.MULTILINE))
    if not path.name.startswith("wrong_") or set(said) != {"misconception", "fails"}:
        raise UsageError(
            f"{path.name} is no answer of a corpus.",
            "Wanted: right_*.py, or wrong_*.py with the lines `# misconception: ...` and `# fails: KEY`.",
        )
    hidden = said["fails"].startswith("hidden:")
    fails = said["fails"].removeprefix("hidden:")
    return Answer(
        slug=slug, name=path.stem, source=source, misconception=said["misconception"], fails=fails, in_hidden=hidden
    )


def mark(answer: Answer, public_half: Exercise, hidden_half: Exercise | None) -> Marks:
    """Judge an answer. The hidden half runs where the public one leaves the answer open."""
    submission = Submission(source=answer.source)
    public = judge(public_half, submission)
    hidden = judge(hidden_half, submission) if hidden_half and (answer.right or answer.in_hidden) else None
    said = [part for part in (public, hidden) if part]
    complaint = _should_be_right(said) if answer.right else _should_be_wrong(answer, said)
    return Marks(answer=answer, public=public, hidden=hidden, complaint=complaint)


def _should_be_right(reports: list[CheckReport]) -> str:
    """Return why a right answer is not taken for one.

    A requirement that this machine cannot judge counts neither way.
    """
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
    """Return why a wrong answer is not taken for the one it is.

    Where only effects are seen, some mistakes show later than they happen.
    """
    report = reports[-1] if answer.in_hidden else reports[0]
    if answer.in_hidden and reports[0].first_failure is not None:
        return f"fails before the hidden half: {_words(reports[0].first_failure)}"
    judged = {judgement.requirement.key: judgement for judgement in report.judgements}
    if answer.fails not in judged:
        return f"there is no requirement {answer.fails!r}"
    if judged[answer.fails].refused:
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
