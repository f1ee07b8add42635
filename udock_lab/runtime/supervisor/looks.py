"""Looks at a child that waits for them: what /proc shows of it before its first step and after its last one."""

from __future__ import annotations

from contextlib import suppress

from udock_lab.model.processes import Snapshot
from udock_lab.runtime.child.fresh import Fresh
from udock_lab.wire.framing import receive, send
from udock_lab.wire.loop import Loop

__all__ = ["Looks"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket


class Looks:
    """What was seen, in ``snapshots``; the child says what moment it is, and goes on when it was looked at."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.snapshots: list[Snapshot] = []

    def watch(self, child: Fresh) -> None:
        """Look whenever it asks for it, until it is the program."""
        self._loop.watch(child.sync, lambda _: self._look(child.pid, child.sync))

    def _look(self, pid: int, sync: socket) -> None:
        from udock_lab.linux.snapshot import read_snapshot

        try:
            moment, _fds = receive(sync)
        except OSError:
            moment = b""
        if not moment:  # it became the program, or ended
            self._loop.forget(sync)
            return
        self.snapshots.append(Snapshot(moment=moment.decode(), **read_snapshot(pid)))
        with suppress(OSError):
            send(sync, b"seen")
