"""Which statements of a notebook belong to an answer, and which are attempts: learners try out what they write.

In the notebook each cell ran when it was written, with what the machine had then. In a graded run all of it would
run again before each scenario; an attempt would fork, write files and be taken for what the answer does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from udock_lab.sandbox import names_used
from udock_lab.sandbox.reading import UNREADABLE

__all__ = ["calling", "definitions", "names_in_functions", "without_attempts"]

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NOTEBOOK_ONLY = ("check", "check_hidden", "display", "get_ipython")


def names_in_functions(text: str) -> set[str]:
    """Return names of the notebook that its functions and classes use."""
    try:
        return names_used(text, top=False)
    except UNREADABLE:
        return set()


def definitions(text: str, wanted: set[str]) -> str:
    """Return the imports, functions, classes and assignments of a cell that is not a solution.

    An assignment that calls something stays where a function needs its name (``wanted``): ``libc = CDLL(None)``
    does, ``x = launch(...)`` is an attempt.
    """
    kept = (node for node in _body(text) if isinstance(node, _DEFINITIONS) or _is_needed(node, wanted))
    return "\n".join(filter(None, map(_written, kept)))


def _written(node: ast.AST) -> str:
    """Return a statement as text again; empty where it is nested deeper than ast.unparse goes.

    That is less deep than Python reads.
    """
    try:
        return ast.unparse(node)
    except UNREADABLE:
        return ""


def _is_needed(node: ast.stmt, wanted: set[str]) -> bool:
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return not _called(node) or any(
        isinstance(part, ast.Name) and part.id in wanted for target in targets for part in ast.walk(target)
    )


def calling(texts: Iterable[str], functions: Sequence[str]) -> set[str]:
    """Return the exercise's functions, what only a notebook has, and every function that uses one of those."""
    users = {
        node.name: names_in_functions(_written(node))
        for text in texts
        for node in _body(text)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    found = {*functions, *_NOTEBOOK_ONLY}
    while more := {name for name, used in users.items() if name not in found and used & found}:
        found |= more
    return found


def _body(text: str) -> list[ast.stmt]:
    try:
        return ast.parse(text).body
    except UNREADABLE:
        return []


def without_attempts(text: str, tried: set[str]) -> str:
    """Return a solution cell in which statements that call one of ``tried`` are ``pass``.

    Every line keeps its number.
    """
    lines = text.encode().split(b"\n")
    for node in reversed(_body(text)):
        if isinstance(node, _DEFINITIONS) or not _called(node) & tried:
            continue
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        rest = lines[last][node.end_col_offset or 0 :]
        lines[first : last + 1] = [lines[first][: node.col_offset] + b"pass" + rest, *[b""] * (last - first)]
    return b"\n".join(lines).decode()


def _called(node: ast.stmt) -> set[str]:
    """Return names that a statement calls; ``.`` stands for what is no plain name."""
    calls = [part.func for part in ast.walk(node) if isinstance(part, ast.Call)]
    return {function.id if isinstance(function, ast.Name) else "." for function in calls}
