"""A notebook as cells: what its bytes say, and what nbgrader keeps about each cell. Cheap to import (reader.py)."""

from __future__ import annotations

import json

from udock_lab.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Cell = Mapping[str, Any]

__all__ = ["cells_of", "grade_id_of", "nbgrader_facts", "text_of"]


def cells_of(data: bytes, name: str) -> list[Cell]:
    """Return the cells of a notebook; ``name`` is for the sentence of a UsageError."""
    if not data.strip():
        raise UsageError(f"{name} is empty.", "Ask for it again.")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not a notebook: {error}.", "Ask for it again.") from None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise UsageError(f"{name} is not a notebook of format 4: it has no cells.", "Ask for it again.")
    return cells


def nbgrader_facts(cell: Cell) -> Mapping[str, Any]:
    """Return what nbgrader keeps about a cell; empty where it keeps nothing."""
    metadata = cell.get("metadata")
    facts = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return facts if isinstance(facts, dict) else {}


def grade_id_of(cell: Cell) -> str:
    """Return nbgrader's name of a cell; empty where it has none."""
    return str(nbgrader_facts(cell).get("grade_id", ""))


def text_of(cell: Cell) -> str:
    """Return a cell's source, whichever of its two written forms it has.

    Half a character (JSON can say that) becomes ?.
    """
    source = cell.get("source", "")
    parts = source if isinstance(source, list) else [source]
    text = "".join(part for part in parts if isinstance(part, str))
    return text.encode("utf-8", "replace").decode()
