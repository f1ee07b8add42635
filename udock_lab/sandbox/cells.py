"""The cells of the notebook whose functions the code can call: their lines are told like the code's own."""

from __future__ import annotations

import functools
import linecache
import types
from collections.abc import Iterator, Mapping
from typing import Any

from udock_lab.model import NotebookCell

__all__ = ["cells_of"]

MOST = 40  # cells


def cells_of(names: Mapping[str, object]) -> dict[str, NotebookCell]:
    """Return the cells by their file names: of the functions among these, and of those which these use in their turn.

    Left out is what a module has, whose functions are known by their own name there, and what has no text any more.
    """
    found: dict[str, NotebookCell] = {}
    queue = list(names.values())
    seen: dict[int, object] = {}  # kept: an id is another object's as soon as its own has gone
    for value in queue:  # grows
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if type(value) is types.FunctionType:
            if value.__module__ != "__main__":
                continue
            file = value.__code__.co_filename
            if file not in found and (text := "".join(linecache.getlines(file))):
                found[file] = NotebookCell(name=value.__name__, text=text)
            queue += _used_by(value)
        else:
            queue += _inside(value)
        if len(found) == MOST:
            break
    return found


def _used_by(function: types.FunctionType) -> Iterator[object]:
    """Yield what a function's code may call: globals that it names, and what it closes over."""
    codes: list[types.CodeType] = [function.__code__]
    for code in codes:  # grows
        yield from [function.__globals__[name] for name in code.co_names if name in function.__globals__]
        codes += [part for part in code.co_consts if isinstance(part, types.CodeType)]
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # it has no value yet
            continue


def _inside(value: Any) -> Iterator[object]:
    """Yield the functions of a class, and what wraps one. By the real type: a ``__class__`` may be code of theirs."""
    kind: Any = type(value)
    if issubclass(kind, type):
        if value.__module__ == "__main__":
            yield from [*vars(value).values(), *value.__bases__]
    elif issubclass(kind, staticmethod | classmethod | types.MethodType):
        yield value.__func__
    elif issubclass(kind, property):
        yield from (value.fget, value.fset, value.fdel)
    elif issubclass(kind, functools.partial):
        yield value.func
    elif kind.__module__ == "__main__":
        yield kind
