"""A submitted notebook as text: which cells are the learner's solution, and what of them is code.

Nothing here runs anything. Cells travel to the sandbox as source; what belongs to a notebook only (magics, shell
lines, trial calls outside of the solution) is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["CheckCell", "check_cells", "solution_source"]

Cell = Mapping[str, Any]


class CheckCell:
    """A cell that gives points: ``index`` in the notebook, the exercise it checks, whether it is the hidden one."""

    def __init__(self, index: int, cell: Cell) -> None:
        self.index = index
        self.grade_id = str(_nbgrader(cell).get("grade_id", ""))
        self.points = float(_nbgrader(cell).get("points", 0))
        self.hidden = self.grade_id.endswith("_hidden")
        self.slug = self.grade_id.removesuffix("_hidden").removesuffix("_check")


def _nbgrader(cell: Cell) -> Mapping[str, Any]:
    return dict(cell.get("metadata", {}).get("nbgrader", {}))


def _text(cell: Cell) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def check_cells(cells: Sequence[Cell]) -> list[CheckCell]:
    """Cells that are graded automatically, in order; their ``grade_id`` is ``<slug>_check`` or ``<slug>_hidden``."""
    return [
        CheckCell(index, cell)
        for index, cell in enumerate(cells)
        if cell.get("cell_type") == "code" and _nbgrader(cell).get("grade") and not _nbgrader(cell).get("solution")
    ]


def solution_source(cells: Sequence[Cell]) -> str:
    """Everything that the learner's functions may need, as one module.

    Solution cells whole; of all other cells only imports, definitions and plain assignments, since what learners
    try out between the cells is not part of their answer. A cell that Python cannot read is kept if it is a
    solution cell (the checker then says what is wrong with it), else left out.
    """
    return "\n\n".join(part for part in _parts(cells) if part.strip()) + "\n"


def _parts(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        facts = _nbgrader(cell)
        if cell.get("cell_type") != "code" or (facts.get("grade") and not facts.get("solution")):
            continue
        text = _without_magics(_text(cell))
        yield text if facts.get("solution") else _definitions(text)


def _without_magics(text: str) -> str:
    """Lines of the notebook's own language become comments, so that line numbers stay; a cell magic takes its cell."""
    if text.lstrip().startswith("%%"):
        return ""
    return "\n".join(f"# {line}" if line.lstrip().startswith(("%", "!", "?")) else line for line in text.splitlines())


_KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


def _definitions(text: str) -> str:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ""
    kept = [node for node in tree.body if isinstance(node, _KEPT) and not _calls_something(node)]
    return "\n".join(ast.unparse(node) for node in kept)


def _calls_something(node: ast.stmt) -> bool:
    """An assignment that calls a function is an attempt, not a definition."""
    return isinstance(node, ast.Assign | ast.AnnAssign) and any(isinstance(part, ast.Call) for part in ast.walk(node))
