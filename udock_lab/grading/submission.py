"""A learner's functions and how to run them: only ever inside the sandbox.

In a notebook the functions travel as cloudpickle; in a graded run the solution cells travel as source. The
judges see neither: they ask for a scene to be played and get what the kernel saw.
"""

from __future__ import annotations

import linecache
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from udock_lab.grading.inside import CELLS, SOLUTION
from udock_lab.grading.notebook import Part, Solution
from udock_lab.grading.scene import program
from udock_lab.grading.unwritten import unwritten_functions, unwritten_source
from udock_lab.linux.load import crowd
from udock_lab.model import SandboxResult
from udock_lab.sandbox import TIMEOUT, run

__all__ = ["SOLUTION", "Submission", "notebook_cells", "patience"]

MOST_CELLS = 300
MOST_LEFT_OUT = 10  # statements that are told of
# Runs inside the sandbox, before the scene. The learner's cells are a module of their own.
_LOAD = """
import builtins as __builtins
from udock_lab.grading.inside import compiled as __compiled, importable as __importable, load as __load
__importable(__modules)
__solution = {"__name__": "__main__", "__builtins__": __builtins}
__load(__compiled(__parts, __futures), __solution)
for __name in [name for name in __solution if name not in globals() and not hasattr(__builtins, name)]:
    globals()[__name] = __solution[__name]
"""
_TRY = """
from udock_lab.grading.inside import compiled, importable, load
importable(__modules)
__value__ = load(compiled(__parts, __futures), {"__name__": "__main__"})
"""
# In a notebook: what tracebacks quote are lines of its cells.
_SHOW = """
from udock_lab.grading.inside import show_lines as __show_lines
for __cell in __cells.items():
    __show_lines(*__cell)
"""
# For a referee (referee.py): it takes what loads the answer, and nothing is loaded here.
_LOAD_APART = """
from udock_lab.grading.referee import loader as __loader
__load = __loader(__parts, __futures, __functions, __modules)
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """``functions``: name to function; or ``solution``: cells, as a reader found them; or ``source``: one text.

    ``modules``: Python files that lay beside the notebook, by name. ``notes`` are for the report. ``stopping`` is set
    where nobody waits for the verdict any more: what is being played ends.
    """

    functions: Mapping[str, Callable[..., object]] = field(default_factory=dict)
    source: str = ""
    solution: Solution | None = None
    notes: tuple[str, ...] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event, compare=False)

    def play(
        self,
        scene: Callable[..., object],
        functions: Sequence[str],
        values: Mapping[str, object] | None = None,
        *,
        apart: bool = False,
        **options: Any,
    ) -> SandboxResult:
        """Play a scene in a fresh sandbox: it gets the learner's ``functions``, by name, and ``values``.

        What it returns comes back as ``result.value`` (plain data). With ``apart`` the scene is a referee's, and gets
        what loads the functions (referee.py). ``options`` are those of :func:`udock_lab.sandbox.run`; a scene that
        brings its own evidence asks for no trace.
        """
        source, names = program(scene, functions, values or {}, apart=apart)
        if (solution := self.solution or self._of_source()) is not None:
            names |= self._to_load(solution) | {"__functions": list(functions)}
            source = (_LOAD_APART if apart else _LOAD) + source
        else:
            names |= {**self.functions, "__cells": notebook_cells()}
            source = (f"__load = lambda: [{', '.join(functions)}]\n" if apart else "") + _SHOW + source
        options["timeout"] = options.get("timeout", TIMEOUT) * patience()
        chosen: dict[str, Any] = {"shut": True, "trace": True, "stopping": self.stopping} | options
        return run(source, names=names, **chosen)

    def _to_load(self, solution: Solution) -> dict[str, object]:
        """Return what _LOAD and its like find in the sandbox."""
        return {
            "__parts": [(part.name, part.text, part.whole) for part in solution.parts],
            "__futures": solution.futures,
            "__modules": dict(self.modules),
        }

    def unwritten(self, names: Sequence[str]) -> dict[str, str]:
        """Return which functions of these names are not written, each with where it stands, as far as that is known."""
        if self.solution is not None:  # its reader has looked
            return {name: "" for name in self.solution.unwritten if name in names}
        if self.source:
            return dict.fromkeys(unwritten_source(self.source, names), "")
        return unwritten_functions({name: self.functions[name] for name in names if name in self.functions})

    def left_out(self) -> tuple[str, ...]:
        """Load a notebook's answer once, and return a sentence on each statement of an added cell that fails then.

        Such a statement works in the learner's notebook, where other cells ran before it, and is left out when graded.
        """
        parts = self.solution.parts if self.solution else ()
        if not self.solution or all(part.whole for part in parts):
            return ()
        names, seconds = self._to_load(self.solution), TIMEOUT * patience()
        failed = run(
            _TRY, names=names, shut=True, timeout=seconds, trace=False, watch=False, stopping=self.stopping
        ).value
        if not isinstance(failed, list):
            return ()  # it does not load at all: the judges say so
        return tuple(
            f"Left out, because it fails when graded: {str(cell).strip('<>')}, line {line}: {words}"
            for cell, line, words in failed[:MOST_LEFT_OUT]
        )

    def _of_source(self) -> Solution | None:
        return Solution(parts=(Part(name=SOLUTION, text=self.source),)) if self.source else None


def patience() -> float:
    """Return how much longer than on a quiet machine a check waits, 1 to 6 times."""
    return crowd(6.0)


def notebook_cells() -> dict[str, str]:
    """Return the notebook's cells that Python has read here, by the file name that it gives each, the latest."""
    files = [file for file in linecache.cache if any(cell in file for cell in CELLS)][-MOST_CELLS:]
    entries = {file: linecache.cache[file] for file in files}
    return {file: "".join(entry[2]) for file, entry in entries.items() if len(entry) == 4}
