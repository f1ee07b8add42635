"""Text that no terminal trips over."""

from __future__ import annotations

__all__ = ["CELL_WIDTH", "printable"]

CELL_WIDTH = 100  # characters of a printed line: a notebook breaks a longer one where it is full, in a word as well


def printable(text: str) -> str:
    """Spell control characters and undecodable bytes as escapes: no name and no message moves a terminal's cursor."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
