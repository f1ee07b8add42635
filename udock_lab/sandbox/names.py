"""Which of the notebook's names a cell uses, and how they get into the sandbox (cloudpickle)."""

from __future__ import annotations

import ast
import inspect
import symtable
from collections.abc import Callable, Iterator, Mapping

from udock_lab.errors import UsageError

__all__ = ["names_used", "packed"]


def names_used(source: str) -> set[str]:
    """Return global names that the code reads, at its top and inside its functions and classes.

    Those are left out to which it gives a value of its own first.
    Raises one of :data:`~udock_lab.text.unreadable.UNREADABLE` for code that Python cannot read.
    """
    module = symtable.symtable(source, "<sandbox>", "exec")
    found = {symbol.get_name() for symbol in module.get_symbols() if symbol.is_referenced()}
    for table in _below(module):
        found |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    tree = ast.parse(source)
    return (found | set(_changed(tree))) - _given_first(tree)


def _changed(tree: ast.Module) -> Iterator[str]:
    """Return names that are changed or deleted at the top: symtable does not count that as reading."""
    queue: list[ast.AST] = [tree]
    for node in queue:  # grows
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            yield node.id
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            queue += ast.iter_child_nodes(node)


def _given_first(tree: ast.Module) -> set[str]:
    """Return names that an assignment, an import or a definition makes at the top, in no branch, before any reading."""
    given: set[str] = set()
    mentioned: set[str] = set()
    for statement in tree.body:
        names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        read = {node.id for node in names if not isinstance(node.ctx, ast.Store)}
        made = set(_made(statement))
        given |= made - read - mentioned
        mentioned |= made | {node.id for node in names}
    return given


def _made(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.Assign):
        parts = [node for target in statement.targets for node in ast.walk(target)]
        yield from (node.id for node in parts if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import | ast.ImportFrom):
        yield from ((one.asname or one.name).partition(".")[0] for one in statement.names)


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
