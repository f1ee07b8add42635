"""The notebook's own processes, live: kernel, launcher, containers and what they started (psutil)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from udock_lab.display.html import say
from udock_lab.display.text import clean, command_line
from udock_lab.errors import MdockError
from udock_lab.linux.process import process_tree as look_at
from udock_lab.model import ProcessNode
from udock_lab.runtime.engine import Runtime
from udock_lab.widgets.controls import button, problem, status
from udock_lab.widgets.panel import Panel

__all__ = ["Branch", "ProcessTree", "branches", "process_tree"]

_STATES = {"Z": "has ended, nobody has waited for it yet (zombie)", "T": "stopped", "t": "stopped by a tracer"}
_BELOW = {"launcher": "forker", "forker": "spare"}  # what stands below whom, if it is no container
_WIDEST = 60  # characters of a command line that are shown
EXPLAINED = {
    "kernel": "this notebook's Python",
    "launcher": "supervises the containers and keeps their records",
    "forker": "forks them and waits for their end",
    "spare": "forked ahead, waits at the gate for the next run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A process with the name it has in this course, and what is below it."""

    pid: int
    role: str
    words: str  # what it does, or its command line
    state: str = ""
    below: tuple[Branch, ...] = ()


def branches(kernel: int, launcher: int | None, containers: Mapping[int, str]) -> tuple[Branch, ...]:
    """The tree of the kernel, then one for each running container (pid to id) that somebody else supervises."""
    roles = {pid: f"container {name}" for pid, name in containers.items()} | {kernel: "kernel"}
    if launcher is not None:
        roles[launcher] = "launcher"
    top = look_at(kernel)
    if top is None:  # /proc is hidden even from its owner
        return ()
    here = set(_pids(top))
    elsewhere = [look_at(pid) for pid in containers if pid not in here]
    return tuple(_branch(node, roles, "") for node in (top, *elsewhere) if node is not None)


def _pids(node: ProcessNode) -> Iterator[int]:
    yield node.pid
    for below in node.children:
        yield from _pids(below)


def _branch(node: ProcessNode, roles: Mapping[int, str], parent: str) -> Branch:
    role = roles.get(node.pid) or _BELOW.get(parent, "process")
    words = EXPLAINED.get(role) or command_line(node.command) or clean(node.name)
    children = sorted(node.children, key=lambda child: (roles.get(child.pid, "~"), child.start_ticks, child.pid))
    return Branch(
        pid=node.pid,
        role=role,
        words=words if len(words) <= _WIDEST else words[: _WIDEST - 1] + "…",
        state=_STATES.get(node.state, ""),
        below=tuple(_branch(child, roles, role) for child in children),
    )


class ProcessTree(Panel):
    """A tree that follows the machine about once a second, until it is paused or nobody looks."""

    label = "process tree"
    interval = 1.0

    def __init__(self, *, live: bool = True, runtime: Runtime | None = None) -> None:
        self.runtime = runtime or Runtime()
        self.paused = not live
        self.tree: tuple[Branch, ...] = ()
        self.problem = ""
        self._see()
        super().__init__()

    def actions(self) -> Mapping[str, Callable[[Any], None]]:
        return {"pause": self._pause}

    def _pause(self, _: Any) -> None:
        self.paused = not self.paused

    def look(self) -> None:
        if not self.paused:
            self._see()

    def _see(self) -> None:
        """Without the records, the tree is still there; only the containers lack their names."""
        containers: dict[int, str] = {}
        try:
            containers = {found.record.pid: found.id for found in self.runtime.ps(running=True)}
            self.problem = ""
        except MdockError as error:
            self.problem = str(error)
        self.tree = branches(os.getpid(), self.runtime.launcher_pid, containers)

    def page(self) -> str:
        said = "Paused: this is how it was." if self.paused else "Live: it follows the machine once a second."
        press = button("Go on" if self.paused else "Pause", "pause", extra=" data-home")
        return f'{self.picture()}<div class="bar">{press}{status(said)}</div>'

    def picture(self) -> str:
        items = "".join(map(_item, self.tree))
        return f'<ul class="tree" aria-label="processes">{items}</ul>{problem(self.problem)}'

    def text(self) -> str:
        lines = [line for branch in self.tree for line in _lines(branch, "", "")]
        return "\n".join(lines + self.problem.splitlines())


def _item(branch: Branch) -> str:
    below = f"<ul>{''.join(map(_item, branch.below))}</ul>" if branch.below else ""
    state = f" <em>{say(branch.state)}</em>" if branch.state else ""
    kind = branch.role.split()[0]
    words = f"<span>{say(branch.words)}</span>" if kind in EXPLAINED else f"<code>{say(branch.words)}</code>"
    return (
        f'<li data-key="{branch.pid}" class="{kind}"><span class="node"><b>{say(branch.role)}</b> '
        f"<small>pid {branch.pid}</small></span> {words}{state}{below}</li>"
    )


def _lines(branch: Branch, first: str, rest: str) -> Iterator[str]:
    state = f"  [{branch.state}]" if branch.state else ""
    yield f"{first}{branch.role}  {branch.words}{state}"
    yield from _below(branch.below, rest)


def _below(children: Sequence[Branch], indent: str) -> Iterator[str]:
    for number, child in enumerate(children, 1):
        last = number == len(children)
        yield from _lines(child, indent + ("└─ " if last else "├─ "), indent + ("   " if last else "│  "))


def process_tree(*, live: bool = True, runtime: Runtime | None = None) -> ProcessTree:
    """The processes of this notebook: kernel, launcher, containers and their children, about once a second.

    ``live=False`` begins paused. ``runtime``: whose containers get their ids; by default the one that ``%mdock`` uses.
    Containers that a terminal or an earlier kernel started stand as trees of their own.
    """
    return ProcessTree(live=live, runtime=runtime)
