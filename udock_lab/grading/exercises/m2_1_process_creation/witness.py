"""What the kernel saw of programs that ``launch`` was given, and what launch said of them."""

from __future__ import annotations

import ast
import re
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import NotSeenError
from udock_lab.grading.evidence import Said, heard
from udock_lab.model import ExitStatus, SandboxProcess, SandboxResult, SystemCall
from udock_lab.model.value import Value, replace

__all__ = [
    "End",
    "Ran",
    "answers",
    "astray",
    "caller",
    "ends",
    "forks_of_its_own",
    "hung",
    "library",
    "literal",
    "others",
    "played",
    "programs",
    "ran",
    "ten_answers",
]


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


def played(result: SandboxResult, number: int, count: int, name: str) -> SandboxResult | None:
    """Return what one act of several was, as if it had been played alone; its caller of launch is the ``parent``.

    ``value`` is what the referee told of it. None where acts that were played together did not all come to their end
    in good order, and this one not: it has to be played alone. NotSeenError where the caller was not seen.
    """
    told = result.value.get(name) if isinstance(result.value, dict) else None
    if not isinstance(told, dict) and result.ended_by == "end" and result.exit_status and result.exit_status.raw:
        return replace(result, processes=result.processes[:1], calls=(), value=None)  # it could not be loaded
    told = told if isinstance(told, dict) else {}
    if count > 1 and (not told.get("over") or told.get("left") or result.ended_by != "end"):
        return None
    callers = [process for process in result.processes[1:] if process.parent == result.parent.pid]
    if len(callers) < count:
        if count > 1:
            return None
        if result.ended_by == "end":
            raise NotSeenError("the process that calls launch was not seen")
        return replace(result, value=told)
    return _seen_of(result, callers[number], told)


def _seen_of(result: SandboxResult, caller: SandboxProcess, told: dict[str, object]) -> SandboxResult:
    """Leave the caller and what came of it."""
    those = {caller.pid}
    for process in result.processes:
        if process.parent in those:
            those.add(process.pid)
    came_back = isinstance(told.get("over"), bool) and told["over"] is True and not caller.program
    return replace(
        result,
        processes=tuple(
            [
                replace(
                    process,
                    role=_role_below(process.role, caller.role),
                    ran_on=process.ran_on or (came_back and process is caller),
                    leftover=process.leftover and (process is not caller or not came_back),
                )
                for process in result.processes
                if process.pid in those
            ]
        ),
        calls=tuple([call for call in result.calls if call.pid in those]),
        output=tuple([chunk for chunk in result.output if chunk.pid in those]),
        exit_status=caller.status,
        value=told,
        files={},
    )


def _role_below(role: str, caller: str) -> str:
    """Return the role that a process has for the caller of launch: ``child 2.1`` is the first child of ``child 2``."""
    if role == caller:
        return "parent"
    return f"child {role.removeprefix(f'{caller}.')}" if role.startswith(f"{caller}.") else role


def _told(result: SandboxResult, name: str) -> list[Any]:
    found = result.value.get(name) if isinstance(result.value, dict) else None
    return found if isinstance(found, list) else []


def answers(result: SandboxResult, count: int) -> list[Said | None]:
    """Return what launch said of each of so many programs; None where it did not come to that."""
    return [heard(literal(one)) for one in (*_told(result, "answers"), *[""] * count)][:count]


def ten_answers(result: SandboxResult) -> dict[int, tuple[Said | None, bool]]:
    """Return what launch said of each of the ten, and whether a child of that caller was there afterwards."""
    return {number: (heard(literal(text)), left) for number, text, left in _told(result, "ten")}


def others(result: SandboxResult) -> list[str]:
    """Return how the caller's other children were found: ``ended`` and not waited for, ``busy``, or ``gone``."""
    return [str(one) for one in _told(result, "others")]


def astray(result: SandboxResult) -> list[Said]:
    """Return what launch said in children that came out of it, too."""
    strays = [heard(literal(text)) for text in _told(result, "strays")]
    return [said if said is not None else Said(how="returned", kind="", shown="something") for said in strays]


def literal(text: object) -> object:
    """Read plain data that an answer's process has said; None for anything else."""
    try:
        return ast.literal_eval(text) if isinstance(text, str) else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def ends(result: SandboxResult, wanted: list[list[str]]) -> list[End | None]:
    """Return how each program ended, by its words; None for one that nobody has become.

    NotSeenError where a program ran and nobody saw its end.
    """
    if result.untraced:
        drawn = ran(result)
        known = [drawn.get(argv[-1]) for argv in wanted]
        return [End(raw=one.raw, drew=one.drew) if one is not None and one.end else None for one in known]
    became = {_key(ev.argv_of(call)): call.pid for call in ev.execs(result) if not call.errno}
    processes = {process.pid: process for process in result.processes}
    return [_end(result, processes.get(became.get(_key(argv), 0)), argv[-1]) for argv in wanted]


def _key(argv: list[str]) -> tuple[str, ...]:
    """Return the words by which a program is known; how the first one is spelt is a matter of its own."""
    return tuple(argv[-2:])


def _end(result: SandboxResult, process: SandboxProcess | None, name: str) -> End | None:
    if process is None:
        return None
    if process.status is None and not process.leftover and not hung(result):
        raise NotSeenError(f"the end of program {name} was not seen")
    raw = process.status.raw if process.status is not None else 0
    wrote = ran(result).get(name)
    inside = str(wrote.pid) if wrote is not None else r"\d+"
    parent = process.parent
    unheard = parent != 0 and not any(_tells_of(call, process.pid, inside) for call in ev.waits(result, parent))
    return End(
        raw=raw,
        pid=process.pid,
        drew=wrote.drew if wrote is not None else None,
        leftover=process.leftover,
        unheard=unheard,
    )


def _tells_of(call: SystemCall, pid: int, inside: str) -> bool:
    """Return whether a wait brought news of a process; a waitid's news may have the number that it has in there."""
    return call.value == pid or re.search(rf"si_pid=(?:{pid}|{inside})\b", call.arguments) is not None


class Ran(Value):
    """A program as the referee saw it in /proc; its pids are those inside. ``end`` is ``exit 3`` or ``kill 9``."""

    pid: int
    parent: int
    words: tuple[str, ...]
    end: str

    @property
    def drew(self) -> int | None:
        """The number of the code or the signal; None where it was never told its end."""
        number = self.end.rpartition(" ")[2]
        return int(number) if number.isdecimal() else None

    @property
    def raw(self) -> int:
        """The wait status that belongs to its end."""
        return (self.drew or 0) << (8 if self.end.startswith("exit") else 0)


def ran(result: SandboxResult) -> dict[str, Ran]:
    """Return the programs that were there, by their names; of one that was started again, the last."""
    return {
        name: Ran(pid=pid, parent=parent, words=tuple(words), end=end)
        for name, pid, parent, words, end in _told(result, "programs")
    }


def caller(result: SandboxResult) -> int:
    """Return the pid that launch's caller has inside."""
    pid = result.value.get("pid") if isinstance(result.value, dict) else None
    return pid if isinstance(pid, int) else 0


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
