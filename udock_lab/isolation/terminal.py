"""A terminal of its own (ioctl_tty(2)). Light, since each fork of a container copies it."""

from __future__ import annotations

import fcntl
import termios

from udock_lab.isolation.step import Child, Step

__all__ = ["Terminal"]


class Terminal(Step):
    """Standard input becomes the controlling terminal of this session (TIOCSCTTY)."""

    name = "terminal"
    call = "ioctl"

    def describe(self) -> str:
        return "ioctl(0, TIOCSCTTY)"

    def apply(self, child: Child) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
