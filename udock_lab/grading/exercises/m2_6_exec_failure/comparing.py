"""What run returned for one program, beside what is so; and in words, what came in its place."""

from __future__ import annotations

import errno
import sys

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercises.m2_6_exec_failure.caller import ENDED
from udock_lab.grading.exercises.m2_6_exec_failure.diagnose import (
    IN_ITS_MEMORY,
    OTHERS_CHILD,
    guessed,
    info,
    misread,
    raised,
)
from udock_lab.grading.exercises.m2_6_exec_failure.told import PATIENCE, Run, Told

__all__ = ["by", "compare", "nothing", "seen_of", "waits"]


def by(bench: Bench) -> str:
    """Name the witness: ``effects`` where this machine lets nobody watch."""
    return "effects" if any(note.startswith("Judged by effects") for note in bench.notes) else "kernel"


def waits(hung: Run | None) -> tuple[str, str]:
    """Return where a run waited, and why it waits for ever."""
    code = f": {hung.said.code}" if hung and hung.said.code else ""
    where = f" (your line {hung.said.line}{code})" if hung and hung.said.line else ""
    seen = f"run was still waiting after {PATIENCE:g} s{where}"
    if hung and hung.holds:
        looks_like = "the parent kept its own write end of the pipe: its read waits for a word that only it could send."
        return f"{seen}; your process still holds a pipe's write end itself", looks_like
    if hung and hung.forks and not hung.channels:
        return (
            seen,
            "no pipe was made in this run. An older one serves once, and other children hold its write end.",
        )
    return seen, (
        "end-of-file, an empty read, is the sign of success: a loop that takes it for 'not yet' never ends, and "
        "a socket of datagrams has none."
    )


def compare(
    bench: Bench, key: str, told: Told, name: str, what: str, wanted: list[int | None], known: str = "", lost: str = ""
) -> bool:
    """Compare what run returned for one program with what is so; where it differs, the requirement has failed.

    ``known``: its cause; ``lost``: where an errno was lost, if that is the cause.
    """
    program = told.programs.get(name)
    if program and repr(program.values) == repr(wanted):  # 42.0 == 42, and True == 1
        return True
    seen = seen_of(program) if program else nothing(told)
    looks_like = known or (_cause(told, program, wanted) if program else "")
    if lost and looks_like == IN_ITS_MEMORY:
        looks_like = lost
    expected = f"{what}: {info(wanted)}"
    bench.fail(key, expected=expected, seen=seen, looks_like=looks_like, by=by(bench), go_on=True)
    return False


def _cause(told: Told, program: Run, wanted: list[int | None]) -> str:
    if program.hung:
        return waits(program)[1]
    if not program.said.returned:
        return raised(program.said, wanted)
    if program.values and program.values[0] == ENDED:
        return OTHERS_CHILD
    if wanted[2] is not None and program.values and program.values[2] is not None and not program.channels:
        return guessed(program.forks)
    return misread(program.values, program.said.shown, wanted, others_arrive=_arrives(told))


def _arrives(told: Told) -> bool:
    missing = told.programs.get("missing")
    return missing is not None and missing.values == [127, None, errno.ENOENT]


def seen_of(program: Run) -> str:
    """Say what came of one call of run."""
    if program.hung:
        return waits(program)[0]
    if program.values and all(value is None or type(value) is int for value in program.values):
        return f"you returned {info(program.values)}"
    if program.values:
        return f"you returned {program.said.shown}"
    kind = "" if program.said.kind == "NoneType" or not program.said.returned else f", of type {program.said.kind}"
    return ev.worded(program.said, "run") + kind


def nothing(told: Told) -> str:
    """Say why there is nothing to judge: an error before the first call, a time limit, a signal."""
    error = ev.raised(told.result)
    if error.startswith(("SyntaxError", "IndentationError", "TabError")):
        return f"Python {sys.version_info.major}.{sys.version_info.minor} cannot read the solution: {error}"
    if error.startswith("NameError: name 'run'"):
        return "nothing in the notebook defines run; a cell under %%sandbox or %%bash runs elsewhere"
    if told.end.get("gone"):
        return "the process that called run ended, and run had not come back"
    return error or told.result.verdict
