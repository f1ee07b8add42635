"""Descriptors that are held back: a request that came while none is left could not even be refused."""

from __future__ import annotations

import os

__all__ = ["Reserve"]

_SIZE = 4  # a request brings no more, the memory of a long one included
_FOR_TWO = 24  # what two runs hold while they start: five each for their lives, and tables, locks and logs


class Reserve:
    """A few copies of standard input, which is /dev/null here, given up for as long as a request is received."""

    def __init__(self) -> None:
        self._held: list[int] = []

    def hold(self) -> None:
        """Have them again. OSError where no descriptor is left."""
        while len(self._held) < _SIZE:
            self._held.append(os.dup(0))

    def leave_room(self) -> None:
        """Raise OSError (EMFILE) unless a run in the foreground would still find room beside this one.

        Else those who fill the launcher with containers in the background could run nothing any more.
        """
        beyond: list[int] = []
        try:
            while len(beyond) < _FOR_TWO:
                beyond.append(os.dup(0))
        finally:
            for fd in beyond:
                os.close(fd)

    def give_up(self) -> None:
        """Close them."""
        while self._held:
            os.close(self._held.pop())
