"""Pages of a graded class: one for each learner, and one for the lecturer on which everybody stands."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from udock_lab.display.html.checks import check_html
from udock_lab.display.markup import Markup
from udock_lab.display.pages.rendering import page
from udock_lab.display.text.checks import points
from udock_lab.model import CheckReport, Judgement

__all__ = ["Handed", "class_page", "learner_page"]

_MOST = 5  # requirements that an exercise's list of the frequent ones names
_SIGNS = ("", "✖ not judged", "▲ in part", "✖")  # by rank: what somebody should look at


class Handed(NamedTuple):
    """One submission as these pages tell of it.

    ``lost`` are points that this machine could not judge; ``error`` says why nothing was, "" if something was.
    """

    learner: str
    exercise: str
    points: float
    out_of: float
    lost: float
    error: str
    reports: Sequence[CheckReport]

    @property
    def score(self) -> str:
        """``7 of 9``."""
        return f"{self.earned} of {self.most}"

    @property
    def earned(self) -> str:
        """``7``."""
        return points(self.points)

    @property
    def most(self) -> str:
        """``9``."""
        return points(self.out_of)

    @property
    def is_full(self) -> bool:
        """Every point was earned."""
        return self.points == self.out_of

    @property
    def failures(self) -> list[Judgement]:
        """The requirements that were judged and do not hold."""
        return [judgement for report in self.reports for judgement in report.judgements if judgement.passed is False]

    @property
    def rank(self) -> int:
        """How much it needs a look: 0 not at all, 1 was not judged, 2 only in part, 3 earned nothing."""
        return 1 if self.error else 2 if self.lost else 3 if not self.points else 0

    @property
    def sign(self) -> str:
        """The rank in a word."""
        return _SIGNS[self.rank]

    @property
    def why(self) -> str:
        """The first line of what kept it from being judged."""
        return _first_line(self.error)

    @property
    def trouble(self) -> str:
        """Why it needs a look, in a sentence."""
        if self.error:
            return f"not judged: {self.why}"
        if self.lost:
            return f"{points(self.lost)} points could not be judged on this machine; the report says why"
        causes = [f"this looks like: {j.looks_like}" if j.looks_like else j.seen for j in self.failures]
        notes = [_first_line(note) for report in self.reports for note in report.notes]
        return f"no points; {next(iter([*causes, *notes]), 'the report says why')}"

    @property
    def address(self) -> str:
        """Where its report stands, from the page of the class."""
        return f"{_address(self.learner)}/report.html#{_address(self.exercise)}"

    def checks(self) -> Iterator[Markup]:
        """Return its reports, their requirements numbered through, as in the statement."""
        first = 1
        for report in self.reports:
            yield check_html(report, first=first)
            first += len(report.judgements)


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


def _address(name: str) -> str:
    """Return a name as part of an address; of a file whose name is no text, its bytes."""
    return quote(os.fsencode(name))


# --- one learner


def learner_page(learner: str, submissions: Sequence[Handed]) -> Markup:
    """Show the points of all submissions, then the report of each."""
    return page("learner.html", title=learner, submissions=submissions)


# --- the class


# The lessons' names, and for each learner (name, how far in each lesson, why that is not known).
Lessons = tuple[Sequence[str], Sequence[tuple[str, Sequence[str], str]]]


def class_page(submissions: Sequence[Handed], lessons: Lessons | None = None) -> Markup:
    """Show who needs a look, how each exercise went, what was failed most, everybody's points, and lessons taken."""
    learners, exercises = sorted({s.learner for s in submissions}), sorted({s.exercise for s in submissions})
    by_exercise = {name: [s for s in submissions if s.exercise == name] for name in exercises}
    return page(
        "class.html",
        said=f"{_count(len(submissions), 'submission')} of {_count(len(learners), 'learner')}.",
        needing=sorted((s for s in submissions if s.rank), key=lambda s: (s.rank, s.learner, s.exercise)),
        exercises=[_exercise(name, handed) for name, handed in by_exercise.items()],
        failures=[row for name, handed in by_exercise.items() for row in _failures(name, handed)],
        names=[name.replace("_", " ") for name in exercises],
        lessons=lessons,
        everybody=[_learner(name, submissions, exercises) for name in learners],
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _exercise(name: str, handed: Sequence[Handed]) -> Mapping[str, object]:
    """Count how an exercise went."""
    middle, most = statistics.median(one.points for one in handed), max(one.out_of for one in handed)
    return {
        "exercise": name,
        "count": len(handed),
        "full": sum(one.is_full for one in handed),
        "median": f"{points(middle)} of {points(most)}",
        "none": sum(not one.points for one in handed),
    }


def _failures(exercise: str, handed: Sequence[Handed]) -> Iterator[Mapping[str, object]]:
    """Count what learners stopped at. A check stops at the first failure: each counts once for half an exercise."""
    failed = [judgement for one in handed for judgement in one.failures]
    often = Counter(judgement.requirement.name for judgement in failed)
    for number, (name, count) in enumerate(often.most_common(_MOST)):
        causes = Counter(j.looks_like for j in failed if j.requirement.name == name and j.looks_like)
        yield {
            "exercise": "" if number else exercise,
            "requirement": name,
            "share": f"{count} of {len(handed)}",
            "width": f"{4 * count / len(handed):.2f}",
            "cause": next((words for words, _ in causes.most_common(1)), ""),
        }


def _learner(name: str, submissions: Sequence[Handed], exercises: Sequence[str]) -> Mapping[str, object]:
    """Sum up a learner's row: the total, and what was handed in for each exercise, None where nothing was."""
    found = {one.exercise: one for one in submissions if one.learner == name}
    earned, most = sum(one.points for one in found.values()), sum(one.out_of for one in found.values())
    return {
        "learner": name,
        "address": f"{_address(name)}/report.html",
        "total": f"{points(earned)} of {points(most)}",
        "handed": [found.get(exercise) for exercise in exercises],
    }
