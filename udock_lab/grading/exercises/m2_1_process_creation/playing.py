"""How M2.1's acts are played: all of them side by side, and again alone what did not come to a good end there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercises.m2_1_process_creation import programs as given
from udock_lab.grading.exercises.m2_1_process_creation import scenes, witness
from udock_lab.grading.submission import patience
from udock_lab.linux.strace import PROCESS_CALLS
from udock_lab.model import SandboxResult

__all__ = ["FAILING", "NO_PROGRAM", "TIMEOUT", "given_to_launch", "played"]

TIMEOUT = {"words": 4.0, "codes": 4.0, "signals": 2.5, "own": 2.5, "stays": 2.5, "many": 4.0}  # seconds of each act
TOGETHER = 1.8  # of all, side by side; whatever takes longer is played again, alone
# A path that a search for its last word does not find; words as a user may type them.
PATH = "./a folder/sh"
WORDS = ("two words", " blanks around ", "", "*", "$HOME", "two\nlines", "d\u00e9j\u00e0 vu")
NO_PROGRAM = "./no-program"  # execve itself finds out, and nobody before
# What cannot become a program: the path, the codes that say so, what it is.
FAILING = (
    ("/no/such/program", ("127",), "nothing is there"),
    (NO_PROGRAM, ("127", "126"), "a file that is no program"),
    ("./not-executable", ("127", "126"), "a file that may not be executed"),
    ("./folder", ("127", "126"), "a folder"),
)


def played(bench: Bench, name: str) -> SandboxResult:
    """Return what an act was: the first time one that was played beside all others, if it came to a good end there.

    A sandbox costs more than what is played in it. But there may be somebody who takes long, leaves something or kills
    the others: then each is played alone.
    """
    values = given_to_launch(bench)
    acts = bench.shared("acts", lambda: _together(bench, values))
    with_others: SandboxResult | None = acts.pop(name, None)
    if with_others is not None:
        return with_others
    result = _play(bench, [name], values, 0.0, TIMEOUT[name])
    alone = witness.played(result, 0, 1, name)
    assert alone is not None
    return alone


def _together(bench: Bench, values: dict[str, object]) -> dict[str, SandboxResult | None]:
    result = _play(bench, list(TIMEOUT), values, TOGETHER * patience(), 2 * TOGETHER)
    return {name: witness.played(result, at, len(TIMEOUT), name) for at, name in enumerate(TIMEOUT)}


def given_to_launch(bench: Bench) -> dict[str, Any]:
    """Return what launch is given in this check."""
    values: dict[str, Any] = bench.shared("values", _values)
    return values


def _values() -> dict[str, Any]:
    """Draw what is given to launch; the slow program is the slower the busier the machine is.

    So whoever looks fifty times looks for longer where others have the processor.
    """
    missing = f"/no/such/program-{random.randrange(10**6)}"
    return {
        "argv": [PATH, "./program", *WORDS, f"word{random.randrange(1000)}"],
        "slow": given.LONG * patience(),
        "paths": [missing, *(path for path, *_ in FAILING[1:])],
        "missing": f"/no/such/program-{random.randrange(10**6)}",
    }


def _play(
    bench: Bench, chosen: Sequence[str], values: dict[str, object], together: float, timeout: float
) -> SandboxResult:
    return bench.play(
        scenes.acts,
        values={"chosen": chosen, "values": values, "together": together},
        timeout=timeout,
        apart=True,
        calls=PROCESS_CALLS,
        processes=100,
    )
