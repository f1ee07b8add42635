"""Who is who in a sandbox: bookkeeping over what the keeper, the runner and strace say. No input or output.

News comes from three witnesses in no fixed order: a child says that fork returned in it, strace says that it
returned in the parent, and /proc shows who is there. The kernel gives a pid again once its process was collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Census"]

_FORKS = ("clone", "clone3", "fork", "vfork")
_PROGRAM = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Census:
    """Processes in the order in which they were first heard of, the first one first.

    A role (``parent``, ``child 1``, ``child 1.1``) is given once and kept. A process of which nobody knows yet who
    forked it is ``process 4711`` until somebody does.
    """

    def __init__(self) -> None:
        self.first = 0
        self.parents: dict[int, int] = {}
        self.roles: dict[int, str] = {}
        self.statuses: dict[int, int] = {}
        self.programs: dict[int, str] = {}
        self.ends: dict[int, list[str]] = {}  # what came to the end of the code: done, exit or raised, and words
        self.collected: set[int] = set()  # whom its own parent waited for
        self._threads: dict[int, int] = {}  # thread -> its process
        self._children: dict[int, int] = {}  # how many have a role below this one
        self._announced: set[int] = set()  # fork returned in it
        self._returned: set[int] = set()  # fork returned it to its parent
        self._tried: dict[int, str] = {}  # a program that it was about to become
        self._refused: set[tuple[int, str]] = set()  # and strace saw that it did not
        self._past: list[dict[str, Any]] = []  # processes whose pid was given again

    def begin(self, pid: int) -> None:
        """The first process; who was taken for it before was on the way to it."""
        self.parents.clear()
        self.roles.clear()
        self.first = pid
        self.parents[pid] = 0
        self.roles[pid] = "parent"

    def is_known(self, pid: int) -> bool:
        return pid in self.parents

    def process_of(self, thread: int) -> int:
        """The process to which a thread belongs; most threads are their process."""
        return self._threads.get(thread, thread)

    def meet(self, pid: int, parent: int = 0) -> None:
        """A process, and its parent if somebody saw that; who forked it counts, not who inherited it."""
        if not self.parents.get(pid) and pid != self.first:
            self.parents[pid] = parent if parent in self.parents else 0
        self._name(pid)

    def announce(self, pid: int, parent: int, siblings: Iterable[int]) -> None:
        """Fork returned in a child. ``siblings``: children of that parent, the older first, as /proc shows them."""
        if pid == self.first:  # nobody here forked it
            return
        if pid in self._announced:
            self._retire(pid)
        for one in siblings:
            if one == pid:
                break
            self.meet(one, parent)
        self.meet(pid, parent)
        self._announced.add(pid)

    def try_program(self, pid: int, program: str) -> None:
        """It is about to become this; word from it afterwards means that it did not."""
        self._tried[pid] = program

    def spoke(self, pid: int) -> None:
        """It still runs the learner's Python."""
        self._tried.pop(pid, None)

    def ended(self, pid: int, status: int) -> None:
        """How a process (or a thread, which does not matter) ended."""
        self.statuses[pid] = status

    def hear_call(self, thread: int, name: str, arguments: str, value: int | None) -> None:
        """A call that strace saw come back without an error."""
        pid = self.process_of(thread)
        if name == "execve" and value == 0 and (program := _PROGRAM.match(arguments)):
            self.programs[pid] = program[1]
        elif value is None or value <= 0:  # strace writes -1 without a name for an errno that it does not know
            return
        elif name in _FORKS:
            self._fork_returned(pid, value, is_thread="CLONE_THREAD" in arguments)
        elif name in ("wait4", "waitid"):
            self.collected.add(value)

    def hear_refusal(self, thread: int, arguments: str) -> None:
        """An execve that strace saw fail. Python's own word that it would try may come before this or after."""
        if program := _PROGRAM.match(arguments):
            self._refused.add((self.process_of(thread), program[1]))

    def _fork_returned(self, parent: int, new: int, *, is_thread: bool) -> None:
        if is_thread:
            self._threads[new] = parent
            return
        if new == self.first:
            return
        if new in self._returned:
            if new not in self.statuses:  # a parent that is killed inside fork: strace reports what it saw last
                return
            self._retire(new)
        self._threads.pop(new, None)
        self._returned.add(new)
        self.meet(new, parent)

    def _retire(self, pid: int) -> None:
        """The kernel has given this pid to another process; what is known so far was about the old one."""
        self._past.append(self._row(pid, set()))
        tables: tuple[dict[int, Any], ...] = (
            self.parents, self.roles, self.statuses, self.programs, self.ends, self._tried,
        )  # fmt: skip
        for table in tables:
            table.pop(pid, None)
        self._announced.discard(pid)
        self._returned.discard(pid)

    def _name(self, pid: int) -> None:
        """Give it a role, and then to those below it that had to wait for that."""
        waited = pid in self.roles
        if not self.roles.get(pid, "process").startswith("process"):
            return
        above = self.parents[pid]
        line = self.roles.get(above, "process")
        if line.startswith("process"):
            self.roles[pid] = f"process {pid}"
            return
        self._children[above] = number = self._children.get(above, 0) + 1
        self.roles[pid] = f"child {number}" if above == self.first else f"{line}.{number}"
        for below in [child for child, parent in self.parents.items() if parent == pid and waited]:
            self._name(below)

    def report(self, leftovers: set[int]) -> list[dict[str, Any]]:
        """Each process as plain data for :class:`~udock_lab.model.SandboxProcess`, the first one first."""
        now = [self._row(pid, leftovers) for pid in self.parents]
        return sorted([*self._past, *now], key=lambda row: row["role"] != "parent")

    def _row(self, pid: int, leftovers: set[int]) -> dict[str, Any]:
        tried = self._tried.get(pid, "")
        return {
            "pid": pid,
            "parent": self.parents.get(pid, 0),
            "role": self.roles.get(pid, f"process {pid}"),
            "status": self.statuses.get(pid),
            "program": self.programs.get(pid) or ("" if (pid, tried) in self._refused else tried),
            "ran_on": pid in self.ends,
            "leftover": pid in leftovers,
        }
