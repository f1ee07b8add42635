"""How a process ended."""

from __future__ import annotations

import os

from udock_lab.model.value import Value

__all__ = ["ExitStatus"]


class ExitStatus(Value):
    """How a process ended, as the kernel packs it into the 16 bits of a wait status (wait(2)).

    Bits 8-15 hold the exit code, bits 0-6 the signal that ended it, bit 7 says whether core was dumped.
    """

    raw: int

    @property
    def exited(self) -> bool:
        """WIFEXITED: it called exit (or returned from main)."""
        return os.WIFEXITED(self.raw)

    @property
    def signaled(self) -> bool:
        """WIFSIGNALED: a signal ended it."""
        return os.WIFSIGNALED(self.raw)

    @property
    def code(self) -> int | None:
        """WEXITSTATUS, 0-255, or None when a signal ended it."""
        return os.WEXITSTATUS(self.raw) if self.exited else None

    @property
    def signal(self) -> int | None:
        """WTERMSIG, or None when it exited by itself."""
        return os.WTERMSIG(self.raw) if self.signaled else None

    @property
    def signal_name(self) -> str | None:
        """For instance ``SIGKILL``."""
        number = self.signal
        if number is None:
            return None
        import signal  # here: an enum for each number is made

        try:
            return signal.Signals(number).name
        except ValueError:
            return f"signal {number}"

    @property
    def core_dumped(self) -> bool:
        """WCOREDUMP."""
        return self.signaled and os.WCOREDUMP(self.raw)

    @property
    def shell_code(self) -> int:
        """What a shell's ``$?`` would say: the code, or 128 + the signal's number."""
        code = self.code
        return code if code is not None else 128 + (self.signal or 0)
