"""What a program reads from its standard input, where that is no terminal."""

from __future__ import annotations

import os

__all__ = ["Input"]


class Input:
    """The descriptor that goes through the start gate: what the caller gave, or nothing to read.

    ``waits``: a program that reads it waits, until the container ends; without, it finds the end at once.
    """

    def __init__(self, given: int, *, waits: bool) -> None:
        self.fd = given
        self._waits = waits
        self._other_end = -1  # of a pipe that nobody writes

    def open(self) -> None:
        """Have one. OSError where no descriptor is left."""
        if self.fd >= 0:
            return
        if self._waits:
            self.fd, self._other_end = os.pipe()
        else:
            self.fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    def hand_over(self) -> None:
        """Let the program have it alone: it sees the end when the caller closes it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def close(self) -> None:
        """Hold nothing any more. Closing twice is fine."""
        self.hand_over()
        if self._other_end >= 0:
            os.close(self._other_end)
            self._other_end = -1
