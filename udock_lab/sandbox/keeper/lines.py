"""Which line of the learner's code made each call: the log that the processes write, beside strace's times."""

from __future__ import annotations

import os

from udock_lab.model import LineBegun, SystemCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from udock_lab.sandbox.line_log import Entry

__all__ = ["Lines"]

MOST = 6_000  # lines that the result gets


class Lines:
    """The log's memory, and what it says in the end. Where it is not wanted it costs nothing and says nothing."""

    def __init__(self, *, wanted: bool, files: int) -> None:
        self.wanted = wanted
        self._files = files  # of the notebook's functions, beside the code
        self._memory = -1
        self._log: dict[int, list[Entry]] = {}
        self._begun_by: Callable[[list[int], int], int]
        self._times: dict[int, list[int]] = {}
        self._became: dict[int, int] = {}  # when a thread became another program
        self._within: dict[int, int] = {}  # whom a thread runs inside of, after vfork: its caller, which waits

    def memory(self) -> list[int]:
        """Make it, for the runner; a list of one descriptor, or none."""
        if not self.wanted:
            return []
        from udock_lab.sandbox.line_log import SIZE

        self._memory = os.memfd_create("udock-lines")
        os.ftruncate(self._memory, SIZE)
        return [self._memory]

    def read(self) -> None:
        """Read what is there, when all have ended."""
        if self._memory < 0:
            return
        from bisect import bisect_right

        from udock_lab.sandbox.line_log import SIZE, read_log

        self._begun_by = bisect_right
        self._log = read_log(os.pread(self._memory, SIZE, 0))
        self._times = {thread: [time for time, _, _ in entries] for thread, entries in self._log.items()}

    def of(self, call: SystemCall) -> tuple[int, int]:
        """Return the cell and the line that made a call (0: none did). To be asked in the order of the calls."""
        if not self._log or call.pid in self._became:
            return 0, 0
        from udock_lab.sandbox.line_log import number_of

        thread = self._within.get(call.pid, call.pid)
        if call.name in ("execve", "execveat") and call.value == 0:
            self._became[call.pid] = call.start
        elif call.value and (call.name == "vfork" or "CLONE_VFORK" in call.arguments):
            self._within[call.value] = thread
        number = self._begun_by(self._times.get(thread, []), call.start)
        return number_of(self._log[thread][number - 1][1], self._files) if number else (0, 0)

    def begun(self, began: int, process_of: Callable[[int], int]) -> tuple[LineBegun, ...]:
        """Return all lines in the order of time, times since the code began."""
        if not self._log:
            return ()
        from udock_lab.sandbox.line_log import LAST, number_of

        found = [
            LineBegun(
                pid=process_of(thread),
                time=time - began,
                cell=cell,
                line=line,
                variables=tuple([(name[1:], value) for name, value in news if name[:1] == "="]),
                held=tuple([(name[1:], value) for name, value in news if name[:1] == ">"]),
                last=any(name == LAST for name, _ in news),
            )
            for thread, entries in self._log.items()
            for time, number, news in entries
            for cell, line in [number_of(number, self._files)]
        ]
        return tuple(sorted(found, key=lambda one: one.time)[:MOST])
