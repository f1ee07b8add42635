"""Who is whose child: a process and all below it, as text and as HTML.

Pids stand in the HTML only; the text shows what each process is and what it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udock_lab.display.html import card, say
from udock_lab.display.text import clean, command_line
from udock_lab.model import ProcessNode
from udock_lab.text.columns import cut

__all__ = ["tree_body", "tree_html", "tree_text"]

_WIDEST = 60  # characters of a command line that are shown
_STATES = {
    "Z": "has ended, nobody has waited for it yet: a zombie",
    "T": "stopped by a signal",
    "t": "stopped by a tracer",
}
_EXPLAINED = {
    "kernel": "this notebook's Python",
    "launcher": "supervises the containers and keeps their records",
    "forker": "forks them and waits for their end",
    "spare": "forked ahead, waits at the gate for the next run",
    "sandbox": "runs a %%sandbox cell and ends what is left of it",
}


def _words(node: ProcessNode) -> str:
    """What it does, for a process of ours; else its command line (a zombie has only its name left)."""
    return cut(_EXPLAINED.get(node.role) or command_line(node.command) or clean(node.name), _WIDEST)


def tree_text(trees: ProcessNode | Sequence[ProcessNode]) -> str:
    """One line a process, its children below it."""
    roots = (trees,) if isinstance(trees, ProcessNode) else trees
    lines = (line for node in roots for line in _lines(node, "", ""))
    return "\n".join(lines) or "no processes to be seen"


def _lines(node: ProcessNode, first: str, rest: str) -> Iterator[str]:
    state = f"  [{_STATES[node.state]}]" if node.state in _STATES else ""
    yield f"{first}{clean(node.role or 'process')}  {_words(node)}{state}"
    for number, child in enumerate(node.children, 1):
        last = number == len(node.children)
        yield from _lines(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def tree_body(trees: ProcessNode | Sequence[ProcessNode]) -> str:
    """Lists in lists, without the frame."""
    roots = (trees,) if isinstance(trees, ProcessNode) else trees
    if not roots:
        return "<p>no processes to be seen</p>"
    return f'<ul class="tree" aria-label="processes, each above its children">{"".join(map(_item, roots))}</ul>'


def _item(node: ProcessNode) -> str:
    role = node.role or "process"
    kind = role.split()[0] if role.split()[:1] in ([name] for name in (*_EXPLAINED, "container")) else "process"
    words = f"<span>{say(_words(node))}</span>" if role in _EXPLAINED else f"<code>{say(_words(node))}</code>"
    state = (
        f" <em>{'✝ ' if node.state == 'Z' else '‖ '}{say(_STATES[node.state])}</em>" if node.state in _STATES else ""
    )
    dead = " zombie" if node.state == "Z" else ""
    below = f"<ul>{''.join(map(_item, node.children))}</ul>" if node.children else ""
    return (
        f'<li class="{kind}{dead}"><span class="node"><b>{say(role)}</b> <small>pid {node.pid}</small></span> '
        f"{words}{state}{below}</li>"
    )


def tree_html(trees: ProcessNode | Sequence[ProcessNode]) -> str:
    """The tree in its frame."""
    return card(tree_body(trees), "process tree")
