"""``check`` in a cell: run the learner's functions in the sandbox, judge, show, count points."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Self

from udock_lab.commands.parsing import nearest
from udock_lab.display.grading import check_html, check_text, hint_text
from udock_lab.errors import MdockError, NotFound, UsageError
from udock_lab.grading.exercise import Bench, Exercise, Stop
from udock_lab.grading.hidden import hidden_exercise, without_values
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport

__all__ = ["SLUGS", "Score", "check", "check_hidden", "exercise", "judge"]

SLUGS = (
    "m2_1_process_creation",
    "m2_2_chroot_permissions",
    "m2_3_container_ids",
    "m2_4_metadata",
    "m2_5_image_lookup",
    "m2_6_exec_failure",
    "m2_7_mdock_run",
)


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
        return check_html(self.report)

    def hint(self) -> str:
        """One more hint for the first requirement that does not hold; each call gives the next one."""
        failed = self.report.first_failure
        if failed is None:
            return "Nothing to hint at: no requirement has failed."
        key = (self.report.slug, failed.requirement.key)
        given = _hints_given.get(key, 0)
        _hints_given[key] = min(given + 1, len(failed.requirement.hints))
        return hint_text(failed, given)


_hints_given: dict[tuple[str, str], int] = {}


def exercise(slug: str) -> Exercise:
    """The exercise of that name. NotFound, with the nearest one."""
    if slug not in SLUGS:
        near = nearest(slug, SLUGS)
        guess = f" Did you mean {near!r}?" if near else ""
        raise NotFound(f"There is no exercise {slug!r}.{guess}", f"The exercises: {', '.join(SLUGS)}")
    found: Exercise = import_module(f"udock_lab.grading.exercises.{slug}").EXERCISE
    return found


def check(slug: str, *functions: Callable[..., object]) -> Score:
    """Judge the learner's functions for one exercise by what the kernel sees.

    ``functions`` in the order of the statement, for instance ``check("m2_1_process_creation", launch)``. They run
    in the sandbox only. UsageError where one is missing or is no function.
    """
    wanted = exercise(slug)
    if len(functions) != len(wanted.functions) or not all(map(callable, functions)):
        call = f'check("{slug}", {", ".join(wanted.functions)})'
        raise UsageError(f"This exercise checks {', '.join(wanted.functions)}, given as functions.", f"Write: {call}")
    return Score(judge(wanted, Submission(functions=dict(zip(wanted.functions, functions, strict=True)))))


def check_hidden(slug: str, *functions: Callable[..., object]) -> Score:
    """Judge the hidden requirements of an exercise; for lecturers, who have them installed (NotFound elsewhere).

    The report says which hold and nothing of what was tried.
    """
    wanted = hidden_exercise(slug)
    report = judge(wanted, Submission(functions=dict(zip(wanted.functions, functions, strict=True))))
    return Score(without_values(report))


def judge(wanted: Exercise, submission: Submission, **bench_options: Any) -> CheckReport:
    """All judgements of one submission; whatever the submission does, this returns."""
    bench = Bench(submission, wanted.requirements, **bench_options)
    start = time.monotonic()
    try:
        wanted.judge(bench)
    except Stop:
        pass
    except UsageError as error:  # code that Python cannot read, functions that cannot be copied
        bench.notes.append(str(error))
    except MdockError as error:
        bench.notes.append(f"The check itself could not go on: {error}")
    return CheckReport(
        slug=wanted.slug,
        title=wanted.title,
        judgements=bench.judgements(),
        notes=tuple(bench.notes),
        seconds=time.monotonic() - start,
    )
