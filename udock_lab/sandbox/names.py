"""Which of the notebook's names a cell uses, and how they get into the sandbox (cloudpickle)."""

from __future__ import annotations

import inspect
import symtable
from collections.abc import Callable, Iterator, Mapping

from udock_lab.errors import UsageError

__all__ = ["names_used", "packed"]


def names_used(source: str, *, top: bool = True) -> set[str]:
    """Return global names that the code reads inside its functions and classes, and at its ``top``.

    Raises one of :data:`~udock_lab.sandbox.reading.UNREADABLE` for code that Python cannot read.
    """
    module = symtable.symtable(source, "<sandbox>", "exec")
    found = {symbol.get_name() for symbol in module.get_symbols() if top and symbol.is_referenced()}
    for table in _below(module):
        found |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and s.is_global()}
    return found


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    queue = table.get_children()
    for child in queue:  # grows
        yield child
        queue += child.get_children()


def packed(names: Mapping[str, object]) -> bytes:
    """Return the names as one pickle; functions and classes of the notebook go by value.

    Raises UsageError for what cannot be copied, with its name and what to do instead.
    """
    if not names:
        return b""
    from udock_lab.sandbox.copying import dumps  # cloudpickle: a dependency of the lab, and only for those with names

    try:
        return dumps(dict(names))
    except Exception as error:  # whatever an object's own __reduce__ raises
        name, value, why = _culprit(names, dumps) or ("", None, error)
    if not name:
        raise UsageError(f"The names of this code cannot be copied into the sandbox: {why}") from None
    raise UsageError(
        f"The name '{name}' ({type(value).__name__}) cannot be copied into the sandbox: {why}",
        f"Make '{name}' inside the code that uses it, or do without it.",
    ) from None


def _culprit(
    names: Mapping[str, object], dumps: Callable[[object], bytes], seen: frozenset[int] = frozenset()
) -> tuple[str, object, Exception] | None:
    """Return the name that cannot be copied: of a function, rather the one which that uses."""
    for name, value in names.items():
        if id(value) in seen:
            continue
        try:
            dumps(value)
        except Exception as why:
            return _culprit(_used_by(value), dumps, seen | {id(value)}) or (name, value, why)
    return None


def _used_by(function: object) -> dict[str, object]:
    """Return names of the notebook that a function uses."""
    if not inspect.isfunction(function):
        return {}
    used = inspect.getclosurevars(function)
    return {**used.globals, **used.nonlocals}
