"""Who is who in a sandbox: bookkeeping over what the keeper, the runner and strace say. No input or output."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Census"]

_FORKS = ("clone", "clone3", "fork", "vfork")
_PROGRAM = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Census:
    """Processes in the order in which they were first heard of, the first one first."""

    def __init__(self) -> None:
        self.first = 0
        self.parents: dict[int, int] = {}
        self.statuses: dict[int, int] = {}
        self.programs: dict[int, str] = {}
        self.ends: dict[int, list[str]] = {}  # what came to the end of the code: done, exit or raised, and words
        self.collected: set[int] = set()  # whom its own parent waited for

    def is_known(self, pid: int) -> bool:
        return pid in self.parents

    def meet(self, pid: int, parent: int = 0) -> None:
        """A process, and its parent if somebody saw that; who forked it counts, not who inherited it."""
        if not self.parents.get(pid):
            self.parents[pid] = parent

    def hear_call(self, pid: int, name: str, arguments: str, value: int | None) -> None:
        """A call that strace saw come back without an error."""
        if name in _FORKS and value and "CLONE_THREAD" not in arguments:
            self.meet(value, pid)
            self.parents[value] = pid
        elif name == "execve" and value == 0 and (program := _PROGRAM.match(arguments)):
            self.programs[pid] = program[1]
        elif name in ("wait4", "waitid") and value:
            self.collected.add(value)

    def roles(self) -> dict[int, str]:
        """``parent``, ``child 1``, ``child 1.1``; ``process 4711`` where nobody saw who forked it."""
        found = {self.first: "parent"}
        below: dict[int, int] = {}
        for pid in self._parents_first():
            above = self.parents[pid]
            if above not in found:
                found[pid] = f"process {pid}"
                continue
            below[above] = below.get(above, 0) + 1
            prefix = found[above].removeprefix("child ") + "." if above != self.first else ""
            found[pid] = f"child {prefix}{below[above]}" if not prefix.startswith("process") else f"process {pid}"
        return found

    def _parents_first(self) -> list[int]:
        ordered, left = [], [pid for pid in self.parents if pid != self.first]
        done = {self.first}
        while left:
            ready = [pid for pid in left if self.parents[pid] in done or self.parents[pid] not in self.parents]
            if not ready:  # a circle: pids that were reused
                ready = left
            ordered += ready
            done.update(ready)
            left = [pid for pid in left if pid not in done]
        return ordered

    def report(self, leftovers: set[int]) -> list[dict[str, Any]]:
        """Each process as plain data for :class:`~udock_lab.model.SandboxProcess`."""
        roles = self.roles()
        return [
            {
                "pid": pid,
                "parent": self.parents.get(pid, 0),
                "role": roles[pid],
                "status": self.statuses.get(pid),
                "program": self.programs.get(pid, ""),
                "ran_on": pid in self.ends,
                "leftover": pid in leftovers,
            }
            for pid in roles
        ]
