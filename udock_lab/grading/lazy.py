"""Functions in a text that run nothing when they are called: ``async def``, and those with a ``yield``."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["ASYNC", "YIELDS", "lazy_in"]

ASYNC, YIELDS = "async", "yield"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def lazy_in(body: Iterable[ast.stmt], names: Sequence[str]) -> dict[str, str]:
    """Return which functions of these names are generators or coroutines; of two with one name the later one."""
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in names:
            found.pop(node.name, None)
            if node.decorator_list:  # a decorator may make a plain function of it
                continue
            if isinstance(node, ast.AsyncFunctionDef):
                found[node.name] = ASYNC
            elif any(isinstance(part, ast.Yield | ast.YieldFrom) for part in _own(node)):
                found[node.name] = YIELDS
    return found


def _own(function: ast.AST) -> Iterator[ast.AST]:
    """Yield what stands in a function itself, not in one inside it."""
    queue = list(ast.iter_child_nodes(function))
    for node in queue:  # grows
        yield node
        if not isinstance(node, _SCOPES):
            queue += ast.iter_child_nodes(node)
