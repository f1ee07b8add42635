"""The system calls of one run as the result gets them: since the learner's code began, and not without end."""

from __future__ import annotations

from udock_lab.linux.strace import TraceEvent, TraceParser
from udock_lab.model import SystemCall
from udock_lab.sandbox.strace_markers import BEGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["CallLog"]

MOST = 5_000  # calls that the result gets


class CallLog:
    """Reads strace's words, hands out what has happened, keeps the calls."""

    def __init__(self) -> None:
        self.parser = TraceParser()
        self.began: int | None = None  # strace's clock at the first line of the learner's code
        self.kept: list[SystemCall] = []
        self.dropped = 0

    def feed(self, data: bytes) -> Iterator[TraceEvent]:
        """Yield events since the learner's code began, without the runner's own start."""
        yield from self._since_it_began(self.parser.feed(data))

    def late(self) -> Iterator[TraceEvent]:
        """Yield, at the end, what could not be told before."""
        yield from self._since_it_began(self.parser.late())

    def _since_it_began(self, events: Iterable[TraceEvent]) -> Iterator[TraceEvent]:
        for event in events:
            if self.began is not None or not isinstance(event, SystemCall):
                yield event
            elif event.name == "execve" and BEGIN in event.arguments:
                self.began = event.end

    def keep(self, call: SystemCall) -> None:
        """Keep a call for the result, if there is room."""
        if len(self.kept) < MOST:
            self.kept.append(call)
        else:
            self.dropped += 1

    def report(self, process_of: Callable[[int], int]) -> tuple[SystemCall, ...]:
        """Return them with times since the code began, threads as their process."""
        for call in self.parser.unfinished() if self.began is not None else ():
            self.keep(call)
        began = self.began or 0
        return tuple(
            [
                SystemCall(
                    pid=process_of(call.pid), name=call.name, arguments=call.arguments, result=call.result,
                    start=call.start - began, end=call.end - began, errno=call.errno,
                )
                for call in self.kept
            ]
        )  # fmt: skip
