"""One sandbox as its keeper sees it: what its phases and witnesses share."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from udock_lab.sandbox.keeper import sweep
from udock_lab.sandbox.keeper.identity import Identity
from udock_lab.sandbox.keeper.lines import Lines
from udock_lab.sandbox.keeper.process_table import ProcessTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

    from udock_lab.sandbox.keeper.caller import Caller
    from udock_lab.sandbox.keeper.spawn import RunnerProcess
    from udock_lab.sandbox.messages import Request
    from udock_lab.wire.loop import Loop

__all__ = ["Sandbox"]

START = 30.0  # seconds for the runner to be ready; the names it unpacks may import large libraries
GRACE = 0.5  # seconds that processes may outlive the first one


class Sandbox:
    """Who is in it, how far it is, and when it must end. ``names`` is the memfd with the pickled names."""

    runner: RunnerProcess  # from the first phase on

    def __init__(self, request: Request, names: int, caller: Caller, loop: Loop) -> None:
        self.request = request
        self.names = names
        self.caller = caller
        self.loop = loop
        self.table = ProcessTable()
        self.lines = Lines(wanted=request.lines, files=len(request.files))
        self.identity = Identity()
        self.untraced = request.untraced  # why strace does not watch
        self.helpers: set[int] = set()  # processes of our own beside strace: outside the pid namespace, and its first
        self.started = 0.0  # when the learner's code began
        self.deadline = time.monotonic() + START
        self.first_is_gone = False
        self.ended_by = ""
        self.news = False  # somebody has ended since this was last looked at

    # --- how far it is

    def begin(self) -> None:
        """Note that the learner's code begins."""
        self.started = time.monotonic()
        self.deadline = self.started + self.request.timeout

    def end(self, why: str) -> None:
        """Note why it ends; the first reason counts."""
        self.ended_by = self.ended_by or why

    def has_ended(self, pid: int, status: int) -> None:
        """Note how a process ended."""
        self.news = True
        self.table.ended(pid, status)
        if pid == self.table.first:
            self.first_has_gone()

    def first_has_gone(self) -> None:
        """Note that the first process is gone: the others have a moment left."""
        if not self.first_is_gone:
            self.first_is_gone = True
            self.deadline = time.monotonic() + GRACE

    # --- who is there

    def living(self) -> dict[int, int]:
        """Return pid and parent of all but our own processes: strace, and those around an isolated code."""
        alive = sweep.living(self.runner.tracer)
        return {pid: above for pid, above in alive.items() if pid not in self.helpers}

    def helpers_are_gone(self) -> bool:
        """Say whether the first process inside has told what it saw, and ended."""
        return all(sweep.has_ended(pid) for pid in self.helpers)

    # --- one turn

    def turn(self, timeout: float) -> None:
        """Serve whatever comes within that time, in seconds."""
        self.loop.turn(timeout)
        self.reap()
        self.caller.flush()
        if self.caller.wants_end:
            self.end(self.caller.wants_end)

    def close(self, end: _socket.socket | int) -> None:
        """Close one of the runner's channels; its end may be the end of a process."""
        self.news = True
        self.loop.close(end)

    def reap(self) -> None:
        """Wait for whoever has ended: orphans come to us, the subreaper, and our own child is among them."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] != self.runner.tracer:
                    self.has_ended(*ended)
