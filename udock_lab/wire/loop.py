"""Waiting for descriptors and for moments in time, in one thread (epoll(7)).

One loop for whoever looks after other processes: a handler for each descriptor, an action for each moment.
"""

from __future__ import annotations

import heapq
import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable

    End = socket | int

__all__ = ["READABLE", "WRITABLE", "Loop", "Timer"]

READABLE, WRITABLE = select.EPOLLIN, select.EPOLLOUT


class Loop:
    """Descriptors, each with what to do when something happens there; moments, each with what is due then.

    In one turn the descriptors are served in the order of their registration, then the moments that have come.
    Handlers get the events (``select.EPOLLIN``, ...); the end of the far side (EPOLLHUP) is always among them.
    Forget a descriptor before you close it, or close it here: a forked child may still hold a copy, and epoll
    would then go on telling of it.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watches: dict[int, _Watch] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0  # orders watches, and timers of one moment

    # --- descriptors

    def watch(
        self, end: End, handler: Callable[[int], object], events: int = READABLE, beside: End | None = None
    ) -> None:
        """Call ``handler`` with what happens at ``end``, from the next turn on. OSError as epoll_ctl(2).

        ``beside``: another one, of the same rank; those are served in the order in which something happened.
        """
        fd = _number(end)
        self._epoll.register(fd, events)
        rank = self._next() if beside is None else self._watches[_number(beside)].number
        self._watches[fd] = _Watch(rank, handler, events)

    def change(self, end: End, events: int) -> None:
        """Wait for other events there, for instance for room to write as well."""
        watch = self._watches[_number(end)]
        if watch.events != events:
            watch.events = events
            if not watch.paused:
                self._epoll.modify(_number(end), events)

    def pause(self, end: End) -> None:
        """Leave it alone until :meth:`resume`, its end included: what comes meanwhile waits in the kernel."""
        watch = self._watches[_number(end)]
        if not watch.paused:
            watch.paused = True
            self._epoll.unregister(_number(end))

    def resume(self, end: End) -> None:
        """Undo :meth:`pause`."""
        watch = self._watches[_number(end)]
        if watch.paused:
            watch.paused = False
            self._epoll.register(_number(end), watch.events)

    def forget(self, end: End) -> None:
        """Stop watching it; it stays open. Nothing happens where it is not watched."""
        watch = self._watches.pop(_number(end), None)
        if watch is not None and not watch.paused:
            self._epoll.unregister(_number(end))

    def close(self, end: End) -> None:
        """Stop watching it, and close it. Nothing happens where it is not watched: closing twice is fine."""
        if _number(end) not in self._watches:
            return
        self.forget(end)
        if isinstance(end, int):
            os.close(end)
        else:
            end.close()

    # --- moments

    def later(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Call ``action`` once, in a turn at least ``seconds`` from now."""
        timer = Timer(action)
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._next(), timer))
        return timer

    # --- turns

    def turn(self, timeout: float | None = None) -> bool:
        """Serve whatever happens within ``timeout`` seconds (None: until something does); False if that was nothing."""
        happened = self._serve_descriptors(self._wait(timeout))
        return self._serve_timers() or happened

    def _wait(self, timeout: float | None) -> list[tuple[int, int]]:
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        if self._timers:
            until_due = max(0.0, self._timers[0][0] - time.monotonic())
            timeout = until_due if timeout is None else min(timeout, until_due)
        return self._epoll.poll(timeout)

    def _serve_descriptors(self, ready: list[tuple[int, int]]) -> bool:
        """Serve the descriptors that are ready.

        One handler may forget or close what another one waits for, and a new descriptor may get an old number.
        """
        due = [(self._watches[fd], fd, events) for fd, events in ready]
        for watch, fd, events in sorted(due, key=lambda one: one[0].number):
            if self._watches.get(fd) is watch and not watch.paused:
                watch.handler(events)
        return bool(due)

    def _serve_timers(self) -> bool:
        """Serve the timers that are due now; what they add waits for the next turn."""
        now, due, happened = time.monotonic(), list[Timer](), False
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            happened |= timer.ring()
        return happened

    def _next(self) -> int:
        self._count += 1
        return self._count


class Timer:
    """A moment that was asked for with :meth:`Loop.later`."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], object]) -> None:
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Do nothing when the moment comes."""
        self.action = None

    def ring(self) -> bool:
        """Do it, unless that was done or cancelled; whether anything was done."""
        action, self.action = self.action, None
        if action is None:
            return False
        action()
        return True


class _Watch:
    """What is waited for at one descriptor."""

    __slots__ = ("events", "handler", "number", "paused")

    def __init__(self, number: int, handler: Callable[[int], object], events: int) -> None:
        self.number, self.handler, self.events, self.paused = number, handler, events, False


def _number(end: End) -> int:
    return end if isinstance(end, int) else end.fileno()
