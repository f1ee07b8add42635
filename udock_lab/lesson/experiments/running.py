"""An experiment's program, run in a sandbox as its file has it: what a learner can read is what ran."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

from udock_lab import sandbox
from udock_lab.errors import MdockError, UsageError
from udock_lab.text.nearest import nearest

__all__ = ["chosen", "play", "source_of"]

SECONDS, PROCESSES = 30, 300


def play(program: ModuleType, call: str, **names: object) -> Any:
    """Run the program and then the call in a sandbox, and return what the call returned.

    ``names`` are known to the call. Nobody watches with strace, which would slow every process down. MdockError, with
    what the program said, if it did not come to its end.
    """
    text = f"{source_of(program)}\n__value__ = {call}\n"
    run = sandbox.run(text, names=names, watch=False, timeout=SECONDS, processes=PROCESSES)
    if run.value is None:
        said = run.stderr.strip().splitlines()
        raise MdockError(f"The experiment did not come to its end: {run.verdict}", said[-1] if said else "")
    return run.value


def source_of(program: Any) -> str:
    """Return the program's text."""
    return inspect.getsource(program)


def chosen(ways: tuple[str, ...], among: tuple[str, ...], call: str) -> tuple[str, ...]:
    """Return the ways that were asked for, all where none was; UsageError, with the nearest, for one nobody has."""
    for way in ways:
        if way not in among:
            near = nearest(str(way), among)
            guess = f" Did you mean {near!r}?" if near else ""
            raise UsageError(f"{call} knows no way {way!r}.{guess}", f"It knows: {', '.join(among)}")
    return ways or among
