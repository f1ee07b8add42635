"""The notebook's own processes, live: kernel, launcher, containers and what they started."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from udock_lab.display.html.tree import tree_body
from udock_lab.display.markup import Markup, attributes, html
from udock_lab.display.text.tree import tree_text
from udock_lab.errors import MdockError
from udock_lab.model import ProcessNode
from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.processes import named_trees
from udock_lab.widgets.controls import button, problem, status
from udock_lab.widgets.panel import Panel, chosen

__all__ = ["ProcessTree", "process_tree"]


class ProcessTree(Panel):
    """A tree that follows the machine about once a second, until it is paused or nobody looks."""

    label = "process tree"
    interval = 1.0

    def __init__(self, *, live: bool = True, runtime: Runtime | None = None) -> None:
        self.runtime = runtime or Runtime()
        self.paused = not live
        self.trees: tuple[ProcessNode, ...] = ()
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
        """Look at the processes; without the records, the tree is still there, and only the containers lack names."""
        try:
            trees, trouble = self.runtime.process_tree(), ""
        except MdockError as error:
            trees, trouble = named_trees(os.getpid(), self.runtime.launcher_pid, {}), str(error)
        self.trees, self.problem = trees, trouble

    def page(self) -> Markup:
        said = "Paused: this is how it was." if self.paused else "Live: it follows the machine once a second."
        press = button("Go on" if self.paused else "Pause", "pause", extra=attributes(data_home=True))
        return html('{}<div class="bar">{}{}</div>', self.picture(), press, status(said))

    def text(self) -> str:
        return "\n".join([tree_text(self.trees), *self.problem.splitlines()])

    def picture(self) -> Markup:
        return tree_body(self.trees) + problem(self.problem)


def process_tree(*, live: bool = True, runtime: Runtime | None = None) -> ProcessTree:
    """Return the processes of this notebook: kernel, launcher, containers and their children, about once a second.

    ``live=False`` begins paused. ``runtime``: whose containers get their ids; by default the one that ``%mdock`` uses.
    Containers that a terminal or an earlier kernel started stand as trees of their own.
    """
    return ProcessTree(live=live, runtime=chosen(runtime))
