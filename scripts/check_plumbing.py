"""No cell of a lesson holds plumbing: what runs there is what the lesson is about, and a learner can read it.

Plumbing is told by its kind:

- a module that no lesson teaches (``ctypes``, ``matplotlib``, ``subprocess``, ``shutil``, ...), and any part of
  ``udock_lab`` behind what learners call;
- starting a program anew by ``sys.executable``, the notebook's own shell, code made of text (``exec``);
- a clock that is read: who measures wants the figure, not the loop around it;
- a loop that forks, waits, sleeps or kills: many processes at once.

Its place is ``udock_lab/lesson/experiments/``, under a name that says what it does; ``lesson.source`` shows it. The
lines of a put_in_order task are text here: the task is to understand them. ``check_notebooks.py`` calls this.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

# What the lessons teach. `check_names.py` sees to it that each function of them is explained before it is used.
TAUGHT = frozenset({"errno", "fcntl", "os", "resource", "signal", "socket", "sys", "time"})
FRONTS = frozenset({"udock_lab", "udock_lab.display", "udock_lab.errors", "udock_lab.lesson"})
NOT_IN_LESSONS = {
    "sys.executable": "starts a program anew",
    "time.monotonic": "reads a clock",
    "time.perf_counter": "reads a clock",
    "time.process_time": "reads a clock",
    "time.time": "reads a clock",
    "get_ipython": "reaches for the notebook's shell",
    "exec": "runs code made of text",
    "eval": "runs code made of text",
    "compile": "runs code made of text",
    "__import__": "imports what a text names",
}
NOT_IN_LOOPS = {
    "os.fork": "forks",
    "os.forkpty": "forks",
    "os.kill": "kills",
    "os.killpg": "kills",
    "signal.pidfd_send_signal": "kills",
    "os.wait": "waits",
    "os.waitpid": "waits",
    "os.waitid": "waits",
    "time.sleep": "sleeps",
}
LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Cell = dict[str, Any]


def plumbing(source: str) -> list[str]:
    """Return one sentence for each piece of plumbing in a cell's code; none where it is no Python."""
    lines = source.split("\n")
    if lines[0].startswith("%%"):
        if not lines[0].startswith("%%sandbox"):
            return []
        lines = lines[1:]
    code = (re.sub(r"=\s*[%!].*$", "= None", "pass" if re.match(r"\s*[%!]", line) else line) for line in lines)
    try:
        tree = ast.parse("\n".join(code))
    except SyntaxError:
        return []  # running it says so
    return list(dict.fromkeys(_found(tree)))


def _found(tree: ast.Module) -> Iterator[str]:
    imported = dict(_imported(tree))
    for module in _modules(tree):
        if module not in FRONTS and module.split(".")[0] not in TAUGHT:
            yield f"it imports {module}, which no lesson teaches"
    for name in _names(tree, imported):
        if name in NOT_IN_LESSONS:
            yield f"{name} {NOT_IN_LESSONS[name]}"
    for loop in (node for node in ast.walk(tree) if isinstance(node, LOOPS)):
        for name in _names(loop, imported):
            if name in NOT_IN_LOOPS:
                yield f"a loop {NOT_IN_LOOPS[name]} ({name})"


def _modules(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield what a name stands for: ``flock`` for ``fcntl.flock``, ``clock`` for ``time`` after ``import as``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)


def _names(tree: ast.AST, imported: dict[str, str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield imported.get(node.id, node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{imported.get(node.value.id, node.value.id)}.{node.attr}"


def in_cells(cells: list[Cell]) -> list[str]:
    """Return one sentence for each piece of plumbing in a notebook, with the number of its cell."""
    return [
        f"cell {number}: {what}: move it to udock_lab/lesson/experiments/, under a name that says what it does"
        for number, cell in enumerate(cells, 1)
        if cell["cell_type"] == "code"
        for what in plumbing("".join(cell["source"]))
    ]
