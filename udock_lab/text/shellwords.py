"""A command as somebody would type it."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.text.terminal import printable

__all__ = ["command_line", "quote"]


def command_line(argv: Sequence[str]) -> str:
    """Return the words as a shell would take them, so that where one argument ends can be seen."""
    import shlex

    return printable(shlex.join(argv))


def quote(text: str) -> str:
    """Quote one word for a shell, where it has to be. On start paths: shlex is imported when a message needs it."""
    import shlex

    return shlex.quote(text)
