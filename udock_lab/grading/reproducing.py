"""``%reproduce 3``: a cell in which the third requirement of the last check is seen to fail, on the learner's own code.

A check keeps what it has judged (:func:`keep`) and its report says what to type (:func:`offered`). The magic runs the
requirement's reproduction (reproduction.py) in the sandbox with each of its values, until the learner's functions print
something else than a right answer does; that program becomes the next cell. The cell uses the learner's functions as
every ``%%sandbox`` cell does: their names are the notebook's, and are copied in.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from udock_lab.errors import UsageError
from udock_lab.grading.exercise import Exercise
from udock_lab.grading.reproduction import Reproduction
from udock_lab.grading.submission import Submission, patience
from udock_lab.model import CheckReport, Judgement
from udock_lab.model.value import replace
from udock_lab.sandbox import run

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAGIC", "cell_for", "keep", "offered"]

MAGIC = "reproduce"
PATIENCE = 4.0  # seconds in which a program is made smaller
SAME = """# This time your answer prints what a right one does: run it some more times, or on a busier machine.
# What the check has seen stands in its report.
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last check was about."""

    exercise: Exercise
    submission: Submission
    report: CheckReport

    @property
    def call(self) -> str:
        """The words of the check cell."""
        return f'check("{self.exercise.slug}", {", ".join(self.exercise.functions)})'

    def again(self) -> dict[int, Reproduction]:
        """Return what can be reproduced: the failed requirements, by their numbers in the report."""
        known = {one.key: one for one in self.exercise.reproductions}
        numbered = enumerate(self.report.judgements, 1)
        return {
            number: known[judgement.requirement.key]
            for number, judgement in numbered
            if judgement.passed is False and judgement.requirement.key in known
        }


_last: list[Checked] = []  # none, or one


def offered(exercise: Exercise, submission: Submission, report: CheckReport) -> CheckReport:
    """Return the report in which each failure that can be reproduced here says what to type; keep it for the magic.

    Outside a notebook nobody can type it, and nothing is said.
    """
    checked = Checked(exercise, submission, report)
    _last[:] = [checked]
    shell = _the_shell()
    if shell is None or shell.find_line_magic(MAGIC) is None:
        return report
    again = checked.again()
    told = [
        replace(judgement, again=f"%{MAGIC} {number}") if number in again else judgement
        for number, judgement in enumerate(report.judgements, 1)
    ]
    return replace(report, judgements=tuple(told))


def keep(checked: Checked | None) -> None:
    """Take this for the last check; None: there was none."""
    _last[:] = [checked] if checked else []


def _the_shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def cell_for(line: str, names: Mapping[str, object]) -> str:
    """Return the cell for what was typed behind the magic; ``names``: those of the notebook.

    UsageError, with what to type, where there is nothing to reproduce.
    """
    if not _last:
        raise UsageError(
            f"%{MAGIC} shows a failure of the last check, and nothing was checked since this kernel started.",
            "Run the cell with check(...) first; its report says which numbers there are.",
        )
    [checked] = _last
    number, judgement, reproduction = _chosen(line.strip(), checked)
    named = _names_of(reproduction, checked, names)
    values, code, shown = _first_that_shows(reproduction, checked.submission.functions, judgement)
    head = [f"{number}. {judgement.requirement.name}", "A right answer prints:"]
    head += [f"    {text}" for text in reproduction.printed(values).splitlines()]
    comment = "".join(f"# {text}\n" for text in head)
    timeout = "" if reproduction.seconds == 5.0 else f" --timeout {reproduction.seconds:g}"
    own = "".join(f"{name} = {given}\n" for name, given in named.items())
    return f"%%sandbox --trace{timeout}\n{comment}{'' if shown else SAME}{own}{code}".rstrip("\n")


def _chosen(word: str, checked: Checked) -> tuple[int, Judgement, Reproduction]:
    """Return the requirement that was asked for, its judgement and its reproduction."""
    again, judgements = checked.again(), checked.report.judgements
    if not again:
        failed = checked.report.first_failure is not None
        what = "Of what failed nothing can be reproduced." if failed else "In the last check no requirement has failed."
        raise UsageError(what, f"Check again after a change: {checked.call}")
    ready = f"There is a cell for {_listed(again)}: write %{MAGIC} {min(again)}"
    if not word:
        raise UsageError(f"%{MAGIC} takes the number of a requirement.", ready)
    if not (word.isascii() and word.isdecimal()):
        raise UsageError(f"%{MAGIC} takes the number of a requirement, not {word!r}.", ready)
    number = int(word)
    if number in again:
        return number, judgements[number - 1], again[number]
    if not 1 <= number <= len(judgements):
        raise UsageError(f"The last check has requirements 1 to {len(judgements)}; {number} is none of them.", ready)
    judgement = judgements[number - 1]
    if judgement.passed:
        raise UsageError(f"Requirement {number} holds: there is no failure to show.", ready)
    why = "cannot be shown by a cell" if judgement.passed is False else f"was not judged ({judgement.why})"
    raise UsageError(f"Requirement {number} {why}.", ready)


def _listed(numbers: Mapping[int, object]) -> str:
    *most, last = map(str, sorted(numbers))
    return f"{', '.join(most)} and {last}" if most else last


def _names_of(reproduction: Reproduction, checked: Checked, names: Mapping[str, object]) -> dict[str, str]:
    """Return the functions that the notebook calls otherwise than the exercise does, and what it calls them."""
    found = {}
    for name in reproduction.functions:
        function = checked.submission.functions[name]
        called = [own for own, value in names.items() if value is function and not own.startswith("_")]
        if not called:
            raise UsageError(
                f"The function that was checked as {name} has no name in this notebook any more.",
                f"Check again, with the function as it is now: {checked.call}",
            )
        if name not in called:
            found[name] = called[0]
    return found


def _first_that_shows(
    reproduction: Reproduction, functions: Mapping[str, Callable[..., object]], judgement: Judgement
) -> tuple[dict[str, object], str, bool]:
    """Return values with which a failure shows, the code with them, and whether one did show."""
    own = {name: functions[name] for name in reproduction.functions}
    ways = list(reproduction.ways(judgement.tried))
    for values in ways:
        if _shows(reproduction, own, values):
            values = _smaller(reproduction, own, values)
            return values, reproduction.program(values), True
    return ways[0], reproduction.program(ways[0]), False


def _shows(reproduction: Reproduction, own: Mapping[str, object], values: Mapping[str, object]) -> bool:
    """Return whether a failure is seen: the program does not end, or prints something else than a right answer."""
    seconds = reproduction.seconds * patience()
    done = run(reproduction.program(values), names=own, timeout=seconds, watch=False)
    return done.ended_by != "end" or not reproduction.is_right(values, done.stdout)


def _smaller(reproduction: Reproduction, own: Mapping[str, object], values: dict[str, object]) -> dict[str, object]:
    """Leave out what the failure does not need, for as long as a learner waits for it."""
    until = time.monotonic() + PATIENCE
    again = True
    while again:
        again = False
        for less in reproduction.shorter(values):
            if time.monotonic() > until:
                break
            if _shows(reproduction, own, less):
                values, again = less, True
                break
    return values
