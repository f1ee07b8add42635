"""Cells of the notebook beside a program that called their functions: which function a line is in, which are shown."""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import lru_cache

from udock_lab.model import NotebookCell
from udock_lab.text.unreadable import UNREADABLE

__all__ = ["function_at", "lines_of", "shown_lines"]


@lru_cache(maxsize=64)
def lines_of(cell: NotebookCell) -> tuple[str, ...]:
    """Return the lines of a cell."""
    return tuple(cell.text.splitlines())


def function_at(cell: NotebookCell, line: int) -> str:
    """Return the name of the function, or class, at the top of the cell that the line is in."""
    return next((name for begin, end, name in _functions(cell) if begin <= line <= end), cell.name)


def shown_lines(cell: NotebookCell, lines: Collection[int]) -> list[int]:
    """Return the numbers of the lines that show these in their functions; of a cell without functions all."""
    parts = [(begin, end) for begin, end, _ in _functions(cell)]
    wanted = {part for part in parts if any(part[0] <= line <= part[1] for line in lines)}
    alone = {line for line in lines if not any(begin <= line <= end for begin, end in parts)}
    if alone:
        return list(range(1, len(lines_of(cell)) + 1))
    return [line for begin, end in sorted(wanted) for line in range(begin, end + 1)]


@lru_cache(maxsize=64)
def _functions(cell: NotebookCell) -> tuple[tuple[int, int, str], ...]:
    """Return the first and the last line and the name of each function and class at the top of a cell."""
    try:
        body = ast.parse(cell.text).body
    except UNREADABLE:  # a cell with a magic, for instance
        return ()
    found = [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    begins = [min([node.lineno, *(one.lineno for one in node.decorator_list)]) for node in found]
    return tuple((begin, node.end_lineno or begin, node.name) for begin, node in zip(begins, found, strict=True))
