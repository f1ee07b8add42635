"""Signals that end a process only after it has cleared away what it was making (signal(7))."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import NoReturn

__all__ = ["Unwinding"]

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class _Ended(BaseException):
    """One of them has come. Nobody but :class:`Unwinding` is to catch it."""


class Unwinding:
    """While inside, SIGTERM and SIGHUP unwind the stack first: each ``finally`` clears away its own.

    Then the process ends by the same signal, so that whoever waits for it sees what it would have seen. A second
    signal ends it at once. What the caller ignores, or handles by itself, is left alone; so is all of it in any
    other thread than the main one, which alone may set handlers (signal.signal()).
    """

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.came = 0

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self.taken = [number for number in _ENDING if signal.getsignal(number) == signal.SIG_DFL]
        for number in self.taken:
            signal.signal(number, self._unwind)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._give_back()
        if self.came:
            os.kill(os.getpid(), self.came)

    def _give_back(self) -> None:
        for number in self.taken:
            signal.signal(number, signal.SIG_DFL)

    def _unwind(self, number: int, _: FrameType | None) -> NoReturn:
        self._give_back()
        self.came = number
        raise _Ended
