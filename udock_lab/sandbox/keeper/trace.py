"""The second witness: what strace saw."""

from __future__ import annotations

import os

from udock_lab.linux.strace import ProcessEnded, SignalCame
from udock_lab.sandbox.keeper.calls import CallLog
from udock_lab.sandbox.strace_markers import CAME_TO_THE_END

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.linux.strace import TraceEvent
    from udock_lab.sandbox.keeper.sandbox import Sandbox

__all__ = ["Trace"]

CHUNK = 1 << 18  # bytes read in one go


class Trace:
    """Reads strace's record as it is written: who forked, who became what, who ended how."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.log = CallLog(steps=sandbox.request.lines)
        self.stopped: dict[int, str] = {}  # whom it saw stop, and did not hear of since

    def read(self, pipe: int) -> None:
        """Take what has come."""
        try:
            data = os.read(pipe, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self.sandbox.close(pipe)
            return
        for event in self.log.feed(data):
            self._hear(event)

    def finish(self) -> None:
        """Take what could not be told before all was over."""
        for event in self.log.late():
            self._hear(event)

    def _hear(self, event: TraceEvent) -> None:
        table = self.sandbox.table
        if isinstance(event, ProcessEnded):
            self.sandbox.has_ended(event.pid, event.status.raw)
        elif isinstance(event, SignalCame):
            if event.stops:
                self.stopped[event.pid] = f"was stopped by {event.name}"
        elif event.name == "execve" and CAME_TO_THE_END in event.arguments:
            table.came_to_the_end(event.pid)
        else:
            self.stopped.pop(event.pid, None)
            if not event.errno:
                table.hear_call(event.pid, event.name, event.arguments, event.value)
            elif event.name == "execve":
                table.hear_refusal(event.pid, event.arguments)
            if event.pid not in self.sandbox.helpers:
                self.log.keep(event)
