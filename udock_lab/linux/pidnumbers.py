"""Pids of a pid namespace in our own numbers, for strace's lines (pid_namespaces(7)).

strace writes who makes a call in our numbers, and what it is given and hands back in those of the caller's namespace.
It can translate them (--decode-pids=pidns), but reads the whole of /proc for each number that it has not met: on a
machine with 170 processes that is 80 ms a program. Here each process is asked once, when it is first heard of, and a
process that is gone by then is known by its turn: both namespaces give out numbers in the order of the forks.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FORKS", "PidNumbers", "made_by", "numbers_of"]

FORKS = ("clone", "clone3", "fork", "vfork")
_PID = r"(?<![\w.])(\d+)\b"
# Where a call's arguments hold pids.
_GIVEN = {
    "wait4": re.compile(rf"^{_PID}"),
    "waitid": re.compile(rf"(?:^P_PID, |si_pid=){_PID}"),
    "kill": re.compile(r"^-?(\d+)\b"),
    "tkill": re.compile(rf"^{_PID}"),
    "tgkill": re.compile(rf"{_PID}(?=,)"),
    "setpgid": re.compile(rf"{_PID}(?=,|$)"),
    "prlimit64": re.compile(rf"^{_PID}"),
}
_RETURNED = frozenset({*FORKS, "wait4", "setsid"})


def numbers_of(pid: int) -> list[int]:
    """Return a process's numbers, ours first, its own namespace's last (NSpid in proc_pid_status(5)); [] if gone."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            if line.startswith(b"NSpid:"):
                return [int(word) for word in line.split()[1:]]
    return []


def made_by(pid: int) -> list[int]:
    """Return what a process has made that is still there: its threads, and their children."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found.append(int(thread))
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
    return found


class PidNumbers:
    """What is known of numbers; ``numbers`` and ``made`` ask /proc."""

    def __init__(
        self,
        numbers: Callable[[int], list[int]] = numbers_of,
        made: Callable[[int], list[int]] = made_by,
    ) -> None:
        self._numbers, self._made = numbers, made
        self._depth: dict[int, int] = {}  # by our number: how many namespaces below ours
        self._ours: dict[tuple[int, int], int] = {}  # by depth and number there
        self._gone: list[int] = []  # heard of when /proc knew them no more
        self._highest = 0  # of the numbers that came back from a fork

    def meet(self, pid: int) -> None:
        """Hear of a process, by our number."""
        if pid in self._depth:
            return
        found = self._numbers(pid)
        if not found and not (depth := max(self._depth.values(), default=0)):
            self._depth[pid] = 0
        elif not found:
            self._depth[pid] = depth
            self._gone.append(pid)
        else:
            self._depth[pid] = len(found) - 1
            self._ours.update({(depth, number): pid for depth, number in enumerate(found) if depth})
        if self._gone:
            self._fill_gaps()

    def _fill_gaps(self, last: int = 0) -> None:
        """Take those that are gone for the numbers that are missing between two known ones, if there are as many."""
        depth = self._depth[self._gone[0]]
        known = sorted((number, pid) for (deep, number), pid in self._ours.items() if deep == depth)
        if last:
            known.append((last, 1 << 32))
        for (number, pid), (next_number, next_pid) in pairwise(known):
            missing = next_number - number - 1
            if 0 < missing <= len(self._gone):
                between = sorted(one for one in self._gone if pid < one < next_pid)
                if len(between) == missing:
                    self._ours.update({(depth, number + at): one for at, one in enumerate(between, 1)})
                    self._gone = [one for one in self._gone if one not in between]

    def knows(self, caller: int, number: int, *, at_the_end: bool = False) -> bool:
        """Return whether it is known which process a fork of that caller has made."""
        depth = self._depth.get(caller, 0)
        if not depth or (depth, number) in self._ours:
            return True
        self._highest = max(self._highest, number)
        for pid in self._made(caller):
            self.meet(pid)
        if self._gone and at_the_end:
            self._fill_gaps(self._highest + 1)
        return (depth, number) in self._ours

    def in_ours(self, caller: int, name: str, arguments: str, result: str) -> tuple[str, str]:
        """Return arguments and result of a call in our numbers."""
        depth = self._depth.get(caller, 0)
        if not depth:
            return arguments, result

        def ours(found: re.Match[str]) -> str:
            at, end = found.span(1)
            before, after = found[0][: at - found.start()], found[0][end - found.start() :]
            return f"{before}{self._ours.get((depth, int(found[1])), found[1])}{after}"

        if name in _GIVEN:
            arguments = _GIVEN[name].sub(ours, arguments)
        if name in _RETURNED:
            result = re.sub(r"^(\d+)(?= |$)", ours, result)
        return arguments, result
