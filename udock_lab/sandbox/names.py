"""Which of the notebook's names a cell uses, and how they get into the sandbox (cloudpickle)."""

from __future__ import annotations

import symtable
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from udock_lab.errors import UsageError

__all__ = ["names_used", "packed"]


def names_used(source: str) -> set[str]:
    """Global names that the code reads, at the top or inside its functions.

    Raises SyntaxError for code that Python cannot read.
    """
    top = symtable.symtable(source, "<sandbox>", "exec")
    found = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    for table in _below(top):
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
    return found


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)


def packed(names: Mapping[str, object]) -> bytes:
    """The names as one pickle; functions and classes of the notebook go by value.

    Raises UsageError for what cannot be copied, with its name and what to do instead.
    """
    if not names:
        return b""
    dumps = _dumps()
    try:
        return dumps(dict(names))
    except Exception as error:  # whatever an object's own __reduce__ raises
        for name, value in names.items():
            try:
                dumps(value)
            except Exception as why:
                raise UsageError(
                    f"The name '{name}' ({type(value).__name__}) cannot be copied into the sandbox: {why}",
                    f"Make '{name}' inside the cell, or give it another name out here.",
                ) from None
        raise UsageError(f"The names of this cell cannot be copied into the sandbox: {error}") from None


def _dumps() -> Callable[[Any], bytes]:
    """cloudpickle where a notebook's own functions are among the values; it is a dependency of the lab."""
    from cloudpickle import dumps

    return lambda value: bytes(dumps(value))  # type: ignore[no-untyped-call]
