"""Who is who in a sandbox: bookkeeping over what the keeper, the runner and strace say. No input or output.

News comes from three witnesses in no fixed order: a child says that fork returned in it and as which of its parent's
forks, strace says that it returned in the parent, and /proc shows who is there. The kernel gives a pid again once its
process was collected.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from udock_lab.linux.pidnumbers import FORKS
from udock_lab.model import ExitStatus, SandboxProcess
from udock_lab.sandbox.messages import End

__all__ = ["ProcessTable"]

MOST_AHEAD = 1_000  # elder siblings that one process may imply by its number
MOST_EXPECTED = 10_000  # places kept for them, in all
_PROGRAM = re.compile(r'"((?:[^"\\]|\\.)*)"')


class ProcessTable:
    """Processes in the order of their making, as far as anybody knows; the first one first.

    A role (``parent``, ``child 1``, ``child 1.1``) tells the place of a process among those of the same parent. A
    process of which nobody knows yet who forked it is ``process 4711`` until somebody does.
    """

    def __init__(self) -> None:
        self.first = 0
        self.collected: set[int] = set()  # whom its own parent waited for
        self._now: dict[int, _Entry] = {}  # by pid
        self._all: list[_Entry] = []  # also those whose pid was given again, and those that are only expected
        self._threads: dict[int, int] = {}  # thread -> its process
        self._expected = 0  # how many places were kept, in all

    # --- questions

    def is_known(self, pid: int) -> bool:
        """Say whether it is in the table."""
        return pid in self._now and self._now[pid].is_listed

    def has_place(self, pid: int) -> bool:
        """Say whether its place among its siblings is known."""
        return pid in self._now and (pid == self.first or self._now[pid].number > 0)

    def process_of(self, thread: int) -> int:
        """Return the process to which a thread belongs; most threads are their process."""
        return self._threads.get(thread, thread)

    def status_of(self, pid: int) -> int | None:
        """Return its raw wait status, None while nobody knows it."""
        return self._now[pid].status if pid in self._now else None

    def role_of(self, pid: int) -> str:
        """Return its role; where it has no place among its siblings yet, it gets the next one."""
        self.meet(pid)
        return self._now[pid].role()

    def ends(self) -> dict[int, End]:
        """Return how processes came to the end of the learner's code."""
        return {entry.pid: entry.end for entry in self._all if entry.end is not None}

    def report(self, leftovers: Collection[int]) -> tuple[SandboxProcess, ...]:
        """Return all of them; ``leftovers`` are those that had to be killed."""
        found = [entry for entry in self._all if entry.pid]
        for entry in found:
            entry.sit()
        for entry in found:
            entry.close_ranks()
        found = _siblings_in_order(found)
        left = {self._now[pid] for pid in leftovers if pid in self._now}
        return tuple([entry.row(leftover=entry in left) for entry in found])

    # --- news

    def begin(self, pid: int) -> None:
        """Take it for the first process; who was taken for it before was on the way to it."""
        self._all.clear()
        self.first = pid
        self._now = {pid: _Entry(pid)}
        self._now[pid].is_first = True
        self.meet(pid)

    def meet(self, pid: int, parent: int = 0) -> None:
        """Learn that it is there, and its parent if somebody saw that; who forked it counts, not who inherited it."""
        entry, above = self._entry(pid), self._now.get(parent)
        if not entry.is_listed:
            entry.is_listed = True
            self._all.append(entry)
        if above is None or not above.is_listed or entry.above is not None or pid == self.first:
            return
        if not above.is_below(entry):
            entry.above, above.has_children = above, True

    def announce(self, pid: int, parent: int, siblings: Iterable[int] = (), number: int = 0) -> None:
        """Learn that fork returned in a child, the ``number``-th that its parent forked by Python's count.

        ``siblings``: children of that parent, the older first, as /proc shows them. Those that were not made by
        Python's fork (posix_spawn, vfork) have no number and do not speak. Nobody proves a number: a false one
        mixes up the order of siblings, and nothing else.
        """
        if pid == self.first:  # nobody here forked it
            return
        if self._entry(pid).is_announced:
            self._retire(self._now[pid])
        entry, above = self._entry(pid), self._now.get(parent)
        if above is not None and above.is_listed and above is not entry:
            self._make_room(entry, above, number, siblings)
        self.meet(pid, parent)
        entry.is_announced = True
        entry.sit()

    def try_program(self, pid: int, program: str) -> None:
        """Learn that it is about to become this; word from it afterwards means that it did not."""
        self._entry(pid).tried = program

    def spoke(self, pid: int) -> None:
        """Learn that it still runs the learner's Python."""
        self._entry(pid).tried = ""

    def came_to_the_end(self, pid: int, end: End | None = None) -> None:
        """Learn that, and how if it says so, it came to the end of the learner's code."""
        entry = self._entry(pid)
        entry.end = end or entry.end or End(how="done")

    def ended(self, pid: int, status: int) -> None:
        """Learn how a process ended (or a thread, which does not matter)."""
        self._entry(pid).status = status

    def hear_call(self, thread: int, name: str, arguments: str, value: int | None) -> None:
        """Learn of a call that strace saw come back without an error."""
        pid = self.process_of(thread)
        if name == "execve" and value == 0 and (program := _PROGRAM.match(arguments)):
            self._entry(pid).program = program[1]
        elif value is None or value <= 0:  # strace writes -1 without a name for an errno that it does not know
            return
        elif name in FORKS and "CLONE_THREAD" in arguments:
            self._threads[value] = pid
        elif name in FORKS:
            self._fork_returned(pid, value, speaks=name != "vfork" and "CLONE_VFORK" not in arguments)
        elif name in ("wait4", "waitid"):
            self.collected.add(value)

    def hear_refusal(self, thread: int, arguments: str) -> None:
        """Learn of an execve that strace saw fail; Python's own word that it would try may come before or after."""
        if program := _PROGRAM.match(arguments):
            self._entry(self.process_of(thread)).refused.add(program[1])

    def _fork_returned(self, parent: int, new: int, *, speaks: bool) -> None:
        """Number a fork of one process: strace tells of them in their order."""
        if new == self.first:
            return
        entry = self._entry(new)
        if entry.has_returned:
            if entry.status is None:  # a parent that is killed inside fork: strace reports what it saw last
                return
            self._retire(entry)
            entry = self._entry(new)
        self._threads.pop(new, None)
        entry.has_returned = True
        self.meet(new, parent)
        above = entry.above
        if above is None or not speaks:
            entry.sit()
        elif entry.number:  # it spoke first; elders of whom strace has not told by now were forks that failed
            above.kept = {number: place for number, place in above.kept.items() if number > entry.count}
        else:
            if above.kept:
                self._take(entry, above, min(above.kept))
            entry.sit()
            above.silent.append(entry)

    # --- places

    def _entry(self, pid: int) -> _Entry:
        if pid not in self._now:
            self._now[pid] = _Entry(pid)
        return self._now[pid]

    def _retire(self, entry: _Entry) -> None:
        """Make room for another process to which the kernel gave this pid: what is known was about the old one."""
        del self._now[entry.pid]

    def _make_room(self, entry: _Entry, above: _Entry, number: int, siblings: Iterable[int]) -> None:
        """See to it that elder siblings have places, or that one is kept for each; and take the one kept for it."""
        silent = above.silent.index(entry) if entry in above.silent else len(above.silent)
        missing = range(above.counted + 1, number) if number - above.counted <= MOST_AHEAD else range(0)
        elders, above.silent = above.silent[:silent], above.silent[silent + 1 :]  # those whom strace named before
        expected = [] if entry.number else missing[len(elders) :]
        self._meet_those_without_a_number(entry, above, siblings, len(above.kept) + len(expected))
        for one in expected:
            self._keep_a_place(above, one)
        above.counted = max(above.counted, number if number - above.counted <= MOST_AHEAD else 0)
        entry.count = number
        self._take(entry, above, number)

    def _meet_those_without_a_number(
        self, entry: _Entry, above: _Entry, siblings: Iterable[int], will_speak: int
    ) -> None:
        """Meet elder siblings that no word has named, but as many as will still tell their number."""
        shown = list(siblings)
        elders = shown[: shown.index(entry.pid)] if entry.pid in shown else []  # else it was collected already
        unknown = [pid for pid in elders if not self.is_known(pid)]
        for pid in unknown[: max(0, len(unknown) - will_speak)]:
            self.meet(pid, above.pid)
            self._now[pid].sit()

    def _keep_a_place(self, above: _Entry, number: int) -> None:
        if self._expected < MOST_EXPECTED:
            self._expected += 1
            above.kept[number] = place = _Entry(0)
            above.children.append(place)
            self._all.append(place)

    def _take(self, entry: _Entry, above: _Entry, number: int) -> None:
        """Take the place that was kept for the child of this number, if there is one and it has no other."""
        place = above.kept.pop(number, None)
        if place is None or entry.number or entry.above not in (None, above):
            return
        at = above.children.index(place)
        above.children[at], entry.above, entry.number = entry, above, at + 1
        above.has_children = True
        if not entry.is_listed:
            entry.is_listed = True
            self._all[self._all.index(place)] = entry


def _siblings_in_order(found: list[_Entry]) -> list[_Entry]:
    """Let the children of each parent stand in the order of their numbers, in the places that they have together.

    None stands before its parent.
    """
    order, places = list(found), dict[_Entry, list[int]]()
    for place, entry in enumerate(found):
        if entry.above is not None:
            places.setdefault(entry.above, []).append(place)
    for taken in places.values():
        for place, entry in zip(taken, sorted([found[place] for place in taken], key=_number), strict=True):
            order[place] = entry
    return _parents_first(order)


def _parents_first(found: list[_Entry]) -> list[_Entry]:
    """Move who stands before their parent behind it."""
    order, seen, early = list[_Entry](), set[_Entry](), dict[_Entry, list[_Entry]]()
    for entry in found:
        if entry.above is not None and entry.above not in seen:
            early.setdefault(entry.above, []).append(entry)
            continue
        next_ones = [entry]
        while next_ones:
            one = next_ones.pop(0)
            order.append(one)
            seen.add(one)
            next_ones += early.pop(one, [])
    return order


def _number(entry: _Entry) -> int:
    return entry.number


class _Entry:
    """What is known of one process; pid 0 is a place that is kept for one."""

    __slots__ = (
        "above", "children", "count", "counted", "end", "has_children", "has_returned", "is_announced", "is_first",
        "is_listed", "kept", "name", "number", "pid", "program", "refused", "silent", "status", "tried",
    )  # fmt: skip

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.is_first = self.is_listed = False
        self.above: _Entry | None = None  # its parent
        self.has_children = False
        self.name = ""  # its role, once that is known
        self.number = 0  # its place among the children of that
        self.count = 0  # and its number by Python's count
        self.status: int | None = None
        self.program = ""
        self.tried = ""  # a program that it was about to become
        self.refused = set[str]()  # those of which strace saw that it did not
        self.end: End | None = None
        self.is_announced = False  # fork returned in it
        self.has_returned = False  # fork returned it to its parent
        self.children: list[_Entry] = []
        self.counted = 0  # the highest number of a child by Python's count
        self.kept: dict[int, _Entry] = {}  # places for children of lower numbers that have not spoken
        self.silent: list[_Entry] = []  # children that strace named and that have not told their number yet

    def is_below(self, other: _Entry) -> bool:
        """Say whether it is ``other``, or comes of it."""
        if not other.has_children:
            return self is other
        entry: _Entry | None = self
        while entry is not None and entry is not other:
            entry = entry.above
        return entry is not None

    def sit(self) -> None:
        """Take the next place below the parent, unless there is one already."""
        if self.above is not None and not self.number:
            self.above.children.append(self)
            self.number = len(self.above.children)

    def role(self) -> str:
        """Name its place; parents that have none sit down for that."""
        line, entry = list[_Entry](), self
        while not entry.name and entry.above is not None:
            line.append(entry)
            entry = entry.above
        if not entry.name and not entry.is_first:
            return f"process {self.pid}"
        entry.name = entry.name or "parent"
        for below in reversed(line):
            below.sit()
            below.name = f"child {below.number}" if entry.is_first else f"{entry.name}.{below.number}"
            entry = below
        return entry.name

    def close_ranks(self) -> None:
        """Number its children again, without those that were expected and did not come."""
        present = [child for child in self.children if child.pid]
        for number, child in enumerate(present, 1):
            child.number, child.name = number, ""

    def row(self, *, leftover: bool) -> SandboxProcess:
        """Return what the result says of it."""
        return SandboxProcess(
            pid=self.pid,
            parent=self.above.pid if self.above is not None else 0,
            role=self.role(),
            status=ExitStatus(raw=self.status) if self.status is not None else None,
            program=self.program or ("" if self.tried in self.refused else self.tried),
            ran_on=self.end is not None,
            leftover=leftover,
        )
