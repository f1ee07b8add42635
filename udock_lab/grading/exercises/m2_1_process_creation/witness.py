"""What the kernel saw of programs that ``launch`` was given, and what launch said of them."""

from __future__ import annotations

import ast
import re

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import NotSeenError
from udock_lab.grading.evidence import Said, heard
from udock_lab.model import ExitStatus, SandboxProcess, SandboxResult, SystemCall
from udock_lab.model.value import Value

__all__ = ["End", "answers", "astray", "ends", "forks_of_its_own", "hung", "library", "programs", "ran"]


class End(Value):
    """How one program ended. ``pid`` is 0, and only what the program wrote is known, where nobody traced.

    ``drew`` is the end that the program drew for itself. ``unheard``: its parent has not heard of its end.
    """

    raw: int
    pid: int = 0
    drew: int | None = None
    leftover: bool = False
    unheard: bool = False

    @property
    def status(self) -> ExitStatus:
        """The wait status, decoded."""
        return ExitStatus(raw=self.raw)

    @property
    def info(self) -> tuple[int | None, int | None]:
        """Code and signal, one of which is None."""
        return (None, self.status.signal) if self.status.signaled else (self.status.code, None)


def answers(result: SandboxResult, count: int) -> list[Said | None]:
    """Return what launch said of each of so many programs; None where it did not come to that."""
    told = result.value if isinstance(result.value, list) else []
    return [heard(one) for one in (*told, *[None] * count)][:count]


def astray(result: SandboxResult) -> list[Said]:
    """Return what launch said in children that came out of it, too."""
    found = []
    for line in result.files.get("astray", b"").splitlines():
        said = heard(literal(line))
        found.append(said if said is not None else Said(how="returned", kind="", shown="something"))
    return found


def literal(text: bytes) -> object:
    """Read plain data that a scene wrote into a file; None for anything else."""
    try:
        return ast.literal_eval(text.decode())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def ends(result: SandboxResult, wanted: list[list[str]], *, by_signal: bool = False) -> list[End | None]:
    """Return how each program ended, by its words; None for one that nobody has become.

    NotSeenError where a program ran and nobody saw its end.
    """
    if result.untraced:
        drawn = ran(result)
        known = [drawn[number].end if number in drawn else None for number in range(len(wanted))]
        return [None if end is None else End(raw=end if by_signal else end << 8, drew=end) for end in known]
    became = {_key(ev.argv_of(call)): call.pid for call in ev.execs(result) if not call.errno}
    processes = {process.pid: process for process in result.processes}
    return [_end(result, processes.get(became.get(_key(argv), 0)), number) for number, argv in enumerate(wanted)]


def _key(argv: list[str]) -> tuple[str, ...]:
    """Return the words by which a program is known; how the first one is spelt is a matter of its own."""
    return tuple(argv[-2:])


def _end(result: SandboxResult, process: SandboxProcess | None, number: int) -> End | None:
    if process is None:
        return None
    if process.status is None and not process.leftover and not hung(result):
        raise NotSeenError(f"the end of program {number + 1} was not seen")
    raw = process.status.raw if process.status is not None else 0
    wrote = ran(result).get(number)
    inside = str(wrote.pid) if wrote is not None else r"\d+"
    parent = process.parent
    unheard = parent != 0 and not any(_tells_of(call, process.pid, inside) for call in ev.waits(result, parent))
    return End(
        raw=raw,
        pid=process.pid,
        drew=wrote.end if wrote is not None else None,
        leftover=process.leftover,
        unheard=unheard,
    )


def _tells_of(call: SystemCall, pid: int, inside: str) -> bool:
    """Return whether a wait brought news of a process; a waitid's news may have the number that it has in there."""
    return call.value == pid or re.search(rf"si_pid=(?:{pid}|{inside})\b", call.arguments) is not None


class Wrote(Value):
    """What a program wrote of itself; its pids are those that it sees."""

    pid: int
    parent: int
    end: int


def ran(result: SandboxResult) -> dict[int, Wrote]:
    """Return what programs have written, by their number; of one that was started again, its last word."""
    found = {}
    for line in result.files.get("ran", b"").splitlines():
        words = line.split()
        if len(words) == 4 and all(word.isdigit() for word in words):
            number, pid, parent, end = map(int, words)
            found[number] = Wrote(pid=pid, parent=parent, end=end)
    return found


def programs(result: SandboxResult) -> list[SandboxProcess]:
    """Return children of launch's caller that became a program."""
    mine = [child for child in result.children if child.parent == result.parent.pid]
    return [child for child in mine if child.program or any(not call.errno for call in ev.execs(result, child.pid))]


def forks_of_its_own(result: SandboxResult) -> list[SystemCall]:
    """Return what the caller of launch forked, until it became a program itself: that forks too."""
    me = result.parent.pid
    became = [at for at, call in enumerate(result.calls) if call.pid == me and call.name == "execve" and not call.errno]
    before = result.calls[: became[0]] if became else result.calls
    return [call for call in ev.forks(result, me) if call in before]


def library(result: SandboxResult) -> list[str]:
    """Return library functions that forked for the learner, by Python's word or the kernel's."""
    shared = [] if result.parent.program else ev.library_forks(result, result.parent.pid)
    return ev.library_calls(result) or shared


def hung(result: SandboxResult) -> bool:
    """Return whether launch had to be stopped."""
    return result.ended_by == "timeout"
