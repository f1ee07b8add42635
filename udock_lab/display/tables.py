"""Columns aligned by blanks."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.text.columns import columns, padded

__all__ = ["table"]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align the columns by blanks; no line ends in one."""
    cells = [list(head), *[list(row) for row in rows]]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(padded, row, widths)).rstrip() for row in cells)
