"""The parent looks at the child in /proc, while that waits. Light, since each fork of a container copies it."""

from __future__ import annotations

import errno
import os

from udock_lab.isolation.step import Child, Step

__all__ = ["AT_THE_GATE", "BEFORE_EXEC", "Hold"]

AT_THE_GATE, BEFORE_EXEC = "at the gate", "before exec"


class Hold(Step):
    """Wait at the sync socket once more, until the parent has looked. Only where somebody asked for it."""

    name = "hold"
    call = "read"
    fields = ("moment",)
    moment: str

    def describe(self) -> str:
        return "read(gate)"

    def apply(self, child: Child) -> None:
        os.write(child.SYNC, self.moment.encode())
        if not os.read(child.SYNC, 16):
            raise OSError(errno.EPIPE, "the parent is gone")
