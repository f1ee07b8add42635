"""Run the learner's functions in the sandbox, judge, count points; :mod:`udock_lab.grading.cells` calls it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Self

import cloudpickle

from udock_lab.display.html.checks import check_html, hint_html
from udock_lab.display.markup import there
from udock_lab.display.text.checks import check_text, hint_text, points
from udock_lab.errors import MdockError, UsageError
from udock_lab.grading.bench import Bench, side_by_side
from udock_lab.grading.bridge import bridge_of, judged_on
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.hidden import without_values
from udock_lab.grading.history import warnings
from udock_lab.grading.kinds import refuse_lazy, refuse_lazy_named, refuse_lazy_source
from udock_lab.grading.meanwhile import Meanwhile
from udock_lab.grading.sources import SLUGS, exercise, hidden_exercise
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport
from udock_lab.model.value import replace

__all__ = ["Hint", "Score", "elsewhere", "given", "judge", "on_the_bridge", "scored", "scored_hidden"]


SHOWN_TRIES = 8  # scores of earlier checks, the latest


class Hint(str):
    """A text that a cell shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return hint_html(self)


class Score(float):
    """Points, and the report behind them.

    nbgrader reads the number from a result's text form, so that is all ``repr`` gives; ``str`` gives the report.
    """

    report: CheckReport

    def __new__(cls, report: CheckReport) -> Self:
        score = super().__new__(cls, report.points)
        score.report = report
        return score

    def __str__(self) -> str:
        return check_text(self.report)

    def _repr_html_(self) -> str:
        return check_html(self.report, where=_lesson_from_here)

    def tell_tries(self, tries: Sequence[float], best: float) -> None:
        """Have the report show the points of all tries so far, and that the best of them stays."""
        if len(tries) > 1:
            earlier = "..., " if len(tries) > SHOWN_TRIES else ""
            each = f"{earlier}{', '.join(map(points, tries[-SHOWN_TRIES:]))}"
            line = (
                f"{len(tries)} tries so far (a try is a check of a changed answer). Points at each: {each}. "
                f"Your best, {points(best)}, is kept."
            )
            self.report = replace(self.report, notes=(*self.report.notes, line))

    def hint(self) -> Hint:
        """Give one more hint for the first requirement that does not hold, or waits; each call gives the next one."""
        failed = self.report.first_failure
        if failed is None and self.report.waits:
            failed = self.report.judgements[0]
        if failed is None:
            return Hint("Nothing to hint at: no requirement has failed.")
        key = (self.report.slug, failed.requirement.key)
        given = _hints_given.get(key, 0)
        _hints_given[key] = min(given + 1, len(failed.requirement.hints))
        return Hint(hint_text(failed, given))


def _lesson_from_here(slug: str) -> str:
    """Return the path of a lesson from here: above a learner's exercise, or in the repository."""
    return there(f"../../{slug}.ipynb", f"../../../notebooks/{slug}.ipynb", f"{slug}.ipynb", f"../{slug}.ipynb")


_hints_given: dict[tuple[str, str], int] = {}


def given(slug: str, functions: Sequence[Callable[..., object]]) -> tuple[Exercise, Submission]:
    """Return the exercise, and a learner's functions in the order of its statement.

    Raises NotFound and UsageError.
    """
    wanted = exercise(_in_quotes(slug))
    names = wanted.functions
    call = f'Write: check("{slug}", {", ".join(names)})'
    if len(functions) != len(names):
        raise UsageError(f"This exercise checks {_listed(names)}; you gave {_how_many(len(functions))}.", call)
    for name, function in zip(names, functions, strict=True):
        if not callable(function):
            raise UsageError(f"{name} must be a function; you gave {type(function).__name__}. {_called(name)}", call)
    answer = dict(zip(names, functions, strict=True))
    _take_along(functions)
    return wanted, Submission(functions=answer, notes=warnings(answer))


def _take_along(functions: Sequence[Callable[..., object]]) -> None:
    """Have functions of a file beside the notebook copied with all that they use: the sandbox does not see the file."""
    here = os.getcwd()
    if all(getattr(one, "__module__", "__main__") == "__main__" for one in functions):
        return
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and os.path.dirname(os.path.abspath(file)) == here and module.__name__ != "__main__":
            cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]


def _in_quotes(slug: object) -> str:
    """Return the name of an exercise; UsageError for what is none."""
    if not isinstance(slug, str):
        raise UsageError(
            "The first word of check is the exercise's name, in quotes.", f'For instance: check("{SLUGS[0]}", launch)'
        )
    return slug


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else f"one function, {names[0]}"


def _how_many(count: int) -> str:
    return {0: "none", 1: "one"}.get(count, str(count))


def _called(name: str) -> str:
    return f"Give its name alone: with {name}(...) you call it, and hand over what it returns."


def scored(answer: tuple[Exercise, Submission]) -> Score:
    """Return the score of what learners can check themselves."""
    return _shown(*answer)


def scored_hidden(answer: tuple[Exercise, Submission]) -> Score:
    """Return the score of what is judged when they hand in, without a word on how; raise NotFound if not installed."""
    wanted, submission = answer
    return Score(without_values(_shown(hidden_exercise(wanted.slug), submission).report))


def on_the_bridge(slug: str, functions: Sequence[Callable[..., object]], kind: str) -> Score:
    """Return what a bridge has come to, in requirements without points; NotFound and UsageError."""
    wanted = exercise(_in_quotes(slug))
    bridge, function = bridge_of(wanted, kind, functions)
    return Score(judged_on(wanted, bridge, function, lambda part, answer: _shown(part, answer).report))


def _shown(wanted: Exercise, submission: Submission) -> Score:
    """Return the score; a check that takes its time shows in the cell what it does."""
    meanwhile = Meanwhile()
    try:
        return Score(judge(wanted, submission, side_by_side(), meanwhile.show))
    finally:
        meanwhile.over()


def elsewhere(answer: tuple[Exercise, Submission]) -> Hint:
    """Say what becomes of the hidden requirements where they are not installed."""
    wanted, submission = answer
    words = [
        f"{wanted.title}: the hidden requirements are not installed here. Your lecturer has them, and judges them when "
        "you hand in: pass or fail for each, and the statement names them.",
        "Your solution cells count, and of other cells definitions and what makes or fills what your functions use.",
        *submission.notes,
    ]
    return Hint("\n".join(words))


def judge(
    wanted: Exercise,
    submission: Submission,
    at_once: int = 1,
    meanwhile: Callable[[Bench], None] = lambda bench: None,
) -> CheckReport:
    """Return all judgements of one submission; whatever the submission does, this returns.

    Of the stories that do not wait for one another so many are played ``at_once``, and ``meanwhile`` is called then.
    """
    bench = Bench(submission, wanted)
    bench.notes += submission.notes
    unwritten: dict[str, str] = {}
    start = time.monotonic()
    try:
        _refuse_lazy(submission, wanted.functions)
        unwritten = submission.unwritten(wanted.functions)
        nothing = bool(unwritten) and len(unwritten) == len(wanted.functions)
        if not nothing:
            bench.tell(wanted.stories, at_once, meanwhile)
        if unwritten:
            bench.leave_to_the_learner(unwritten, everything=nothing)
    except UsageError as error:  # code that Python cannot read, functions that cannot be copied
        bench.notes.append(str(error))
    except MdockError as error:
        bench.again.append(f"the check itself could not go on: {error}")
    for why in bench.again:
        bench.note(f"To be judged again: {why}")
    return CheckReport(
        slug=wanted.slug,
        title=wanted.title,
        judgements=bench.judgements(),
        notes=tuple(bench.notes),
        seconds=time.monotonic() - start,
        finished=not bench.again,
        unwritten=tuple(unwritten),
    )


def _refuse_lazy(submission: Submission, names: tuple[str, ...]) -> None:
    """Raise UsageError for functions that run nothing when they are called."""
    refuse_lazy(submission.functions)
    if submission.solution is not None:  # its reader has looked
        refuse_lazy_named({name: kind for name, kind in submission.solution.lazy.items() if name in names})
    else:
        refuse_lazy_source(submission.source, names)
