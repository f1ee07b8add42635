"""The system calls of one run as the result gets them: since the learner's code began, and not without end."""

from __future__ import annotations

from udock_lab.linux.strace import STEP_CALLS, TraceEvent, TraceParser
from udock_lab.model import SystemCall
from udock_lab.sandbox.strace_markers import BEGIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["CallLog"]

MOST = 5_000  # calls that the result gets
MOST_STEPS = 15_000  # and how many more of those that only who steps through it wants
_STEPS = frozenset(STEP_CALLS)


class CallLog:
    """Reads strace's words, hands out what has happened, keeps the calls."""

    def __init__(self, *, steps: bool = False) -> None:
        self.room = {True: MOST_STEPS, False: MOST}  # by whether only who steps through it wants the call
        self.steps = _STEPS if steps else frozenset[str]()
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
        extra = call.name in self.steps
        if extra and _only_asks(call):
            return
        self.room[extra] -= 1
        if self.room[extra] >= 0:
            self.kept.append(call)
        else:
            self.dropped += 1

    def report(
        self, line_of: Callable[[SystemCall], tuple[int, int]], process_of: Callable[[int], int]
    ) -> tuple[SystemCall, ...]:
        """Return them with times since the code began, threads as their process.

        ``line_of`` gives the cell and the line of a call, and is asked in order.
        """
        for call in self.parser.unfinished() if self.began is not None else ():
            self.keep(call)
        began = self.began or 0
        lines = {id(call): line_of(call) for call in sorted(self.kept, key=_start)}
        return tuple(
            [
                SystemCall(
                    pid=process_of(call.pid), name=call.name, arguments=call.arguments, result=call.result,
                    start=call.start - began, end=call.end - began, errno=call.errno,
                    cell=lines[id(call)][0], line=lines[id(call)][1],
                )
                for call in self.kept
            ]
        )  # fmt: skip


def _start(call: SystemCall) -> int:
    return call.start


def _only_asks(call: SystemCall) -> bool:
    """Return whether it only asks about a descriptor; that it closes at exec, or does not, is more (ioctl_fd(2))."""
    if call.name == "ioctl":
        return "CLEX" not in call.arguments
    return call.name == "fcntl" and ", F_GET" in call.arguments
