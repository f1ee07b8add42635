"""The client, in the notebook's kernel: it gets output and the report, and may want the end."""

from __future__ import annotations

import os

from udock_lab.sandbox.messages import Output, Report, Stop, encode, from_client
from udock_lab.wire.framing import receive
from udock_lab.wire.loop import READABLE, WRITABLE, Loop
from udock_lab.wire.outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Hashable

__all__ = ["Caller"]


class Caller:
    """Whoever asked for this sandbox, over the control socket, which does not block. It reads when it has time."""

    def __init__(self, control: socket, loop: Loop) -> None:
        self.control = control
        self.loop = loop
        self.outbox = Outbox(control, _framed)
        self.wants_end = ""  # ``interrupt``, or ``lost``: nobody is there any more
        loop.watch(control, self._on_event)

    def output(self, stream: str, pid: int, role: str, data: bytes) -> None:
        """Hand on what a process wrote."""
        self.outbox.add((stream, pid, role), data)

    def flush(self) -> None:
        """Send what waits, as far as the caller takes it."""
        if not self.outbox.flush():
            self.wants_end = self.wants_end or "lost"
        if self.wants_end != "lost":
            self.loop.change(self.control, READABLE | (WRITABLE if self.outbox.size else 0))

    def deliver(self, report: Report) -> None:
        """Send what waits and then the report; now there is time."""
        self.outbox.tell(encode(report))
        self.outbox.deliver()

    def _on_event(self, events: int) -> None:
        if events & ~WRITABLE:
            self._hear()
        self.flush()

    def _hear(self) -> None:
        try:
            data, fds = receive(self.control)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        for fd in fds:
            os.close(fd)
        if not data:
            self.wants_end = "lost"
            self.loop.forget(self.control)
        elif isinstance(from_client(data), Stop):
            self.wants_end = self.wants_end or "interrupt"


def _framed(author: Hashable, data: bytes) -> bytes:
    assert isinstance(author, tuple)
    stream, pid, role = author
    return encode(Output(stream=stream, pid=pid, role=role, data=data))
