"""Functions that run nothing when they are called: ``async def``, and those with a ``yield``."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping

from udock_lab.errors import UsageError
from udock_lab.sandbox.reading import UNREADABLE

__all__ = ["refuse_lazy", "refuse_lazy_source"]

_ASYNC = (
    "{} is an async function: a call makes a coroutine and runs nothing of it.",
    "Write def in the place of async def.",
)
_YIELDS = (
    "{} has a yield, which makes it a generator: a call runs nothing of it.",
    "Write return in the place of yield.",
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def refuse_lazy(functions: Mapping[str, Callable[..., object]]) -> None:
    """Raise UsageError for the first of these that is a generator or a coroutine."""
    for name, function in functions.items():
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            _refuse(name, _ASYNC)
        if inspect.isgeneratorfunction(function):
            _refuse(name, _YIELDS)


def refuse_lazy_source(source: str, names: tuple[str, ...]) -> None:
    """Refuse functions of these names at the top of a text that are generators or coroutines.

    A text that Python cannot read passes.
    """
    try:
        body = ast.parse(source).body
    except UNREADABLE:
        return
    for node in {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}.values():
        if node.name in names and not node.decorator_list:  # a decorator may make a plain function of it
            if isinstance(node, ast.AsyncFunctionDef):
                _refuse(node.name, _ASYNC)
            if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in _own(node)):
                _refuse(node.name, _YIELDS)


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function itself, not in one inside it."""
    queue = list(ast.iter_child_nodes(function))
    for node in queue:
        yield node
        if not isinstance(node, _SCOPES):
            queue += ast.iter_child_nodes(node)


def _refuse(name: str, words: tuple[str, str]) -> None:
    raise UsageError(words[0].format(name), words[1])
