"""What a learner sees while a check takes its time: how far it is, and what is being judged."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from udock_lab.display.markup import paragraphs
from udock_lab.text.terminal import printable

if TYPE_CHECKING:
    from udock_lab.grading.bench import Bench

__all__ = ["Meanwhile"]

SILENT = 1.0  # seconds in which a check says nothing


class Meanwhile:
    """Shows one line below a cell, changes it, and takes it away; outside a notebook it does nothing."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.line = ""
        self.handle: Any = None

    def show(self, bench: Bench) -> None:
        """Say how far it is, from the second second on."""
        if time.monotonic() - self.since < SILENT or (line := _line(bench)) == self.line:
            return
        self.line = line
        if self.handle is None:
            self.handle = _a_place()
        if self.handle is not None:
            self.handle.update({"text/plain": printable(line), "text/html": paragraphs(line, "note")}, raw=True)

    def over(self) -> None:
        """Take it away: the report follows."""
        if self.handle is not None:
            self.handle.update({"text/plain": ""}, raw=True)


def _line(bench: Bench) -> str:
    names = [name for key, name in bench.names().items() if key in bench.telling]
    now = f": {'; '.join(names)}" if names else ""
    return f"Judged: {len(bench.judged)} of {len(bench.names())}. Being judged{now} ..."


def _a_place() -> Any:
    """Return a place in the output of the cell that runs; None where there is none."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    if running is None or not hasattr(running, "kernel"):
        return None
    from IPython.display import DisplayHandle

    handle = DisplayHandle()  # type: ignore[no-untyped-call]
    handle.display({"text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]
    return handle
