"""Functions that run nothing when they are called are refused with a sentence."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping

from udock_lab.errors import UsageError
from udock_lab.grading.lazy import ASYNC, YIELDS, lazy_in
from udock_lab.text.unreadable import UNREADABLE

__all__ = ["refuse_lazy", "refuse_lazy_named", "refuse_lazy_source"]

_WORDS = {
    ASYNC: (
        "{} is an async function: a call makes a coroutine and runs nothing of it.",
        "Write def in the place of async def.",
    ),
    YIELDS: (
        "{} has a yield, which makes it a generator: a call runs nothing of it.",
        "Write return in the place of yield.",
    ),
}


def refuse_lazy(functions: Mapping[str, Callable[..., object]]) -> None:
    """Raise UsageError for the first of these that is a generator or a coroutine."""
    for name, function in functions.items():
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            refuse_lazy_named({name: ASYNC})
        if inspect.isgeneratorfunction(function):
            refuse_lazy_named({name: YIELDS})


def refuse_lazy_source(source: str, names: tuple[str, ...]) -> None:
    """Refuse functions of these names at the top of a text that are generators or coroutines.

    A text that Python cannot read passes.
    """
    try:
        body = ast.parse(source).body
    except UNREADABLE:
        return
    refuse_lazy_named(lazy_in(body, names))


def refuse_lazy_named(lazy: Mapping[str, str]) -> None:
    """Raise UsageError for the first of these, whose kinds are known."""
    for name, kind in lazy.items():
        what, instead = _WORDS[kind]
        raise UsageError(what.format(name), instead)
