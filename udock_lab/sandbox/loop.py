"""Waiting for several things at once (epoll(7)), and sending to a reader who may be busy."""

from __future__ import annotations

import os
import select
import socket
from contextlib import suppress

from udock_lab.runtime.wire import send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Loop", "Outbox"]


class Loop:
    """Descriptors, each with what to do when something comes; served in the order of their registration."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.handlers: dict[int, Callable[[], None]] = {}

    def watch(self, end: socket.socket | int, handler: Callable[[], None]) -> None:
        self.epoll.register(end, select.EPOLLIN)
        self.handlers[_number(end)] = handler

    def forget(self, end: socket.socket | int) -> None:
        """No longer watch it; it stays open."""
        if self.handlers.pop(_number(end), None) is not None:
            self.epoll.unregister(end)

    def close(self, end: socket.socket | int) -> None:
        """No longer watch it, and close it; closing twice does nothing."""
        fd = _number(end)
        if fd in self.handlers:
            self.forget(end)
            os.close(end.detach() if isinstance(end, socket.socket) else end)

    def turn(self, timeout: float) -> bool:
        """Serve whatever has come within ``timeout`` seconds; False if that was nothing."""
        ready = {fd for fd, _ in self.epoll.poll(timeout)}
        for fd in [fd for fd in self.handlers if fd in ready]:
            self.handlers[fd]()
        return bool(ready)


def _number(end: socket.socket | int) -> int:
    return end if isinstance(end, int) else end.fileno()


class Outbox:
    """Output on its way to the notebook's kernel, which reads when it has time."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.waiting: list[tuple[bytes, bytearray]] = []

    def add(self, head: bytes, data: bytes) -> None:
        """One chunk; more of the same author is joined to what still waits."""
        if self.waiting and self.waiting[-1][0] == head:
            self.waiting[-1][1].extend(data)
        else:
            self.waiting.append((head, bytearray(data)))

    def flush(self) -> bool:
        """As much as the kernel takes now; False if it is gone."""
        self.control.setblocking(False)
        try:
            while self.waiting:
                head, data = self.waiting[0]
                send(self.control, head + data)
                self.waiting.pop(0)
        except BlockingIOError:
            return True
        except OSError:
            self.waiting.clear()
            return False
        return True

    def deliver(self, report: bytes) -> None:
        """All that still waits, and the report; now there is time."""
        self.control.setblocking(True)
        with suppress(OSError):
            for head, data in self.waiting:
                send(self.control, head + data)
            send(self.control, report)
