"""Who is whose child: a process and all below it.

What stands here is the same on every machine; pids are left to the HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udock_lab.model import (
    ProcessNode,
)
from udock_lab.text.columns import cut
from udock_lab.text.shellwords import command_line
from udock_lab.text.terminal import printable

__all__ = ["EXPLAINED", "STATES", "node_words", "tree_text"]

_WIDEST = 60  # characters of a command line that are shown
STATES = {
    "Z": "has ended, nobody has waited for it yet: a zombie",
    "T": "stopped by a signal",
    "t": "stopped by a tracer",
}
EXPLAINED = {
    "kernel": "this notebook's Python",
    "launcher": "supervises the containers and keeps their records",
    "forker": "forks them and waits for their end",
    "spare": "forked ahead, waits at the gate for the next run",
    "spare keeper": "started ahead, waits for the next %%sandbox cell",
    "sandbox": "runs a %%sandbox cell and ends what is left of it",
}


def node_words(node: ProcessNode) -> str:
    """Say what a process does, for a process of ours; else its command line (a zombie has only its name left)."""
    return cut(EXPLAINED.get(node.role) or command_line(node.command) or printable(node.name), _WIDEST)


def tree_text(trees: ProcessNode | Sequence[ProcessNode]) -> str:
    """Return one line a process, its children below it."""
    roots = (trees,) if isinstance(trees, ProcessNode) else trees
    lines = (line for node in roots for line in _lines(node, "", ""))
    return "\n".join(lines) or "no processes to be seen"


def _lines(node: ProcessNode, first: str, rest: str) -> Iterator[str]:
    state = f"  [{STATES[node.state]}]" if node.state in STATES else ""
    yield f"{first}{printable(node.role or 'process')}  {node_words(node)}{state}"
    for number, child in enumerate(node.children, 1):
        last = number == len(node.children)
        yield from _lines(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))
