"""How many columns of a terminal a text takes, and texts of one width: tables are aligned by columns, not characters.

A Chinese character and most emoji take two columns, a combining accent none (UAX #11, wcwidth(3)). The tables of
Unicode come from the package wcwidth, imported when a text needs them: reading them takes longer than ``mdock ps``.
"""

from __future__ import annotations

import re

__all__ = ["columns", "cut", "padded"]

# Latin letters and the signs of our own tables: one column each, whatever follows them is looked up.
_NARROW = re.compile(r"[\x20-\x7e\xa0-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u257f]*\Z")
_MOST_PER_COLUMN = 8  # characters: an accent takes no column, so a text without end could fit into one


def columns(text: str) -> int:
    """Count the columns that a printable text takes."""
    if text.isascii() or _NARROW.match(text):
        return len(text)
    from wcwidth import wcswidth

    found = wcswidth(text)
    return found if found >= 0 else len(text)  # -1: it holds a control character


def padded(text: str, width: int) -> str:
    """Return the text with blanks behind it up to ``width`` columns."""
    return text + " " * (width - columns(text))


def cut(text: str, width: int) -> str:
    """Return the text, or as much of it as fits into ``width`` columns with ``…`` behind it."""
    if len(text) <= width * _MOST_PER_COLUMN and columns(text) <= width:
        return text
    end = min(len(text), width * _MOST_PER_COLUMN)
    while columns(text[:end]) > width - 1:
        end -= 1
    return text[:end] + "…"
