"""Functions that still say only that they are not written: they wait for their learner, and nothing judges them."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from udock_lab.grading.notebook import unwritten_in
from udock_lab.text.unreadable import UNREADABLE

__all__ = ["LEFT_OVER", "is_unwritten", "place_of", "unwritten_functions", "unwritten_source"]

LEFT_OVER = (
    "the line raise NotImplementedError, which was handed out, is still in your function, and it was reached. Take it "
    "out when your code stands in its place."
)


def unwritten_functions(functions: Mapping[str, Callable[..., object]]) -> dict[str, str]:
    """Return the names of those that are not written, each with where it stands."""
    return {name: place_of(one) for name, one in functions.items() if is_unwritten(one)}


def unwritten_source(source: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return which functions of these names, at the top of a text, are not written. What Python can't read has none."""
    try:
        return unwritten_in(ast.parse(source).body, names)
    except UNREADABLE:
        return ()


def is_unwritten(function: object) -> bool:
    """Return whether a function does no more than to say that it is not written, or nothing at all."""
    code = getattr(function, "__code__", None)
    if code is None or not inspect.isfunction(function):
        return False
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, *UNREADABLE):  # its text is not known
        return bool(code.co_names == ("NotImplementedError",))
    return bool(unwritten_in(body, [code.co_name]))


def place_of(function: Any) -> str:
    """Return where a function stands: ``cell In [7], line 2``; empty where that is not known."""
    code = getattr(function, "__code__", None)
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    if code is None or shell is None:
        return ""
    numbers = getattr(getattr(shell, "compile", None), "_filename_map", {})
    number = numbers.get(code.co_filename)
    return f"cell In [{number}], line {code.co_firstlineno}" if number else ""
