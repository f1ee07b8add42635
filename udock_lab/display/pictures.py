"""One part of a result as a picture of its own, for a cell that is about that part.

Each function gives a :class:`Picture`: its text in a terminal, to a screen reader and to nbval, its HTML in a
notebook and on a published page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from udock_lab.display.html.changes import changes_html
from udock_lab.display.html.lanes import timeline_html
from udock_lab.display.html.records import record_html
from udock_lab.display.html.status import status_html
from udock_lab.display.html.tree import tree_html
from udock_lab.display.html.walk import walk_html
from udock_lab.display.markup import card
from udock_lab.display.text.changes import changes_text
from udock_lab.display.text.records import record_text
from udock_lab.display.text.status import status_text
from udock_lab.display.text.timeline import timeline_text
from udock_lab.display.text.tree import tree_text
from udock_lab.display.text.walk import walk_text
from udock_lab.model import ExitStatus, ProcessNode, RunResult, SandboxResult, StepReport

__all__ = ["Picture", "before_and_after", "process_tree", "record", "timeline", "wait_status", "walk"]


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """The same content as text and as HTML."""

    text: str
    html: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def timeline(what: RunResult | SandboxResult | Sequence[StepReport]) -> Picture:
    """Show who made which call, and when: of a container's run, or of a sandbox run with ``trace=True``."""
    return Picture(timeline_text(what), timeline_html(what))


def walk(result: SandboxResult) -> Picture:
    """Show a sandbox run stop by stop: of a cell with ``--trace``, or of source text run with ``lines=True``."""
    return Picture(walk_text(result), card(walk_html(result), "walk"))


def before_and_after(run: RunResult) -> Picture:
    """Show what the steps changed in the process: of a run with ``snapshots=True`` (``--snapshots``)."""
    return Picture(changes_text(run), changes_html(run))


def wait_status(status: ExitStatus | int) -> Picture:
    """Show the 16 bits of a wait status and what each macro makes of them; a number is a raw status."""
    known = ExitStatus(raw=status) if isinstance(status, int) else status
    return Picture(status_text(known), status_html(known))


def process_tree(trees: ProcessNode | Sequence[ProcessNode]) -> Picture:
    """Show who is whose child: of what ``Runtime.process_tree()`` or ``linux.process.process_tree(pid)`` gave."""
    return Picture(tree_text(trees), tree_html(trees))


def record(run: RunResult) -> Picture:
    """Show the line of ``containers.db`` while it ran and at the end; pids and times only in the HTML."""
    return Picture(record_text(run.before, run.after, measured=False), record_html(run.before, run.after))
