"""Taking turns with others who want the home's lock: polled, so that no other container has to wait meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from udock_lab.runtime.state.lock import lock_timeout
from udock_lab.wire.loop import Loop

__all__ = ["Turns"]

_FIRST, _LONGEST = 0.0005, 0.02  # seconds between two attempts


class Turns:
    """Attempts to do something under the lock, with a growing, jittered pause between them."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._pause = _FIRST
        self._deadline: float | None = None  # set at the first attempt that was in vain

    def wait(self, again: Callable[[], None]) -> bool:
        """Try ``again`` soon; False if it was tried long enough."""
        now = time.monotonic()
        if self._deadline is None:
            self._deadline = now + lock_timeout()
        if now > self._deadline:
            return False
        self._loop.later(self._pause * (0.5 + (time.monotonic_ns() & 1023) / 1024), again)
        self._pause = min(self._pause * 1.5, _LONGEST)
        return True

    def hurry(self) -> None:
        """Wait no longer than for the next attempt."""
        self._deadline = 0.0

    def start_anew(self) -> None:
        """Have the whole time again."""
        self._deadline = None
