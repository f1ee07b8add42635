"""Code that Python cannot read: how it says so, and that in words."""

from __future__ import annotations

__all__ = ["UNREADABLE", "in_words"]

# What ast.parse, compile and symtable raise: the second for a NUL byte or half a character, the last two for code
# that is nested too deeply. Which of them look how deep depends on the version of Python.
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def in_words(error: BaseException) -> str:
    """Say what is wrong and, where that is known, in which line."""
    if isinstance(error, SyntaxError):
        return f"{error.msg} (line {error.lineno})" if error.lineno else error.msg
    if isinstance(error, RecursionError | MemoryError):
        return "it is nested too deeply"
    return str(error)
