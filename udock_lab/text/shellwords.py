"""A command as somebody would type it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from udock_lab.text.terminal import printable

__all__ = ["command_line"]


def command_line(argv: Sequence[str]) -> str:
    """Return the words as a shell would take them, so that where one argument ends can be seen."""
    return printable(shlex.join(argv))
