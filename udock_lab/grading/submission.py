"""A learner's functions and how to run them: only ever inside the sandbox.

In a notebook the functions travel as cloudpickle; in a graded run the solution cells travel as source. The
judges see neither: they ask for a scenario to be run and get what the kernel saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from udock_lab.linux.load import crowd
from udock_lab.model import SandboxResult
from udock_lab.sandbox import TIMEOUT, run

__all__ = ["Submission", "patience"]

# Runs inside the sandbox, before the scenario. The learner's source is a module of its own, so that a scenario's
# ``import time`` does not replace a learner's ``from time import time``; and what a scenario calls by the names of
# builtins or of its values stays that, whatever ``from os import *`` brought along. sys.exit() ends a cell in a
# notebook and nothing else; functions that stood above it are there.
_LOAD = """
import builtins as __builtins
__solution = {"__name__": "__main__", "__builtins__": __builtins}
try:
    exec(compile(__source__, "<your solution>", "exec"), __solution)
except SystemExit:
    pass
for __name in [name for name in __solution if name not in globals() and not hasattr(__builtins, name)]:
    globals()[__name] = __solution[__name]
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """``functions``: name to function; or ``source``: the text of the solution cells."""

    functions: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    source: str = ""

    def play(self, scenario: str, values: Mapping[str, object] | None = None, **options: Any) -> SandboxResult:
        """Run scenario source in a fresh sandbox; the learner's functions and ``values`` are names in it.

        What the scenario puts into ``__value__`` comes back as ``result.value`` (plain data). ``options`` are
        those of :func:`udock_lab.sandbox.run`; a scenario that brings its own evidence asks for no trace.
        """
        names: dict[str, object] = dict(values or {})
        if self.source:
            names["__source__"] = self.source
            scenario = _LOAD + scenario
        else:
            names |= self.functions
        options["timeout"] = options.get("timeout", TIMEOUT) * patience()
        return run(scenario, names=names, **{"shut": True, "trace": True} | options)


def patience() -> float:
    """Return how much longer than on a quiet machine a check waits, 1 to 6 times."""
    return crowd(6.0)
