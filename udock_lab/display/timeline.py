"""Who did what, and when: the moments of a run or of a sandbox. text/timeline.py and html/lanes.py show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from udock_lab.display.cells import function_at
from udock_lab.display.eliding import elided, in_order, without_pid
from udock_lab.display.spelling import NO_RETURN, name_of, result_of, spelled
from udock_lab.display.text.status import ending
from udock_lab.model import (
    RunResult,
    SandboxProcess,
    SandboxResult,
    StepReport,
    SystemCall,
)
from udock_lab.text.terminal import printable

__all__ = ["GAP", "Lane", "Moment", "Timeline", "drawn"]

MOST_CALLS = 200
MOST_LANES = 60
GAP = 1_000_000  # nanoseconds in which nothing happens that are named: a millisecond

# A run's steps are named by the system call that they make, but for these.
_CALLED = {
    "gate": "recvmsg",
    "open_gate": "sendmsg",
    "record_running": "append to containers.db",
    "record_ended": "rename over containers.db",
}
_PROGRAM = re.compile(r'[^"]*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Lane:
    """One process. ``parent`` is its parent's lane, None where that is not drawn; ``pid`` 0 where unknown."""

    name: str
    pid: int = 0
    parent: int | None = None


@dataclass(slots=True, kw_only=True)  # not frozen: a frozen one takes three times as long to make
class Moment:
    """One block: a call, by the kernel's ``name``, or (``effect`` is ``end``) how a process ended.

    ``call`` and ``result`` are short and the same for the same run; ``full`` is all of it, pids and addresses too;
    ``call_seen`` and ``result_seen`` are what the picture shows in their place. ``effect`` says what it does to lanes:
    fork, wait, signal, gate (an arrow between ``lane`` and ``other``), exec (``program``), exit, end, or nothing.
    """

    lane: int
    name: str
    call: str
    full: str
    result: str
    start: int
    end: int
    failed: bool = False
    lost: bool = False  # it had begun and did not come back
    effect: str = ""
    other: int | None = None
    program: str = ""
    line: int = 0  # of the learner's code, 0 where none made it
    cell: int = 0  # in which cell of the notebook that line is, 0: in the code that ran
    within: str = ""  # and there in which function
    call_seen: str = ""
    result_seen: str = ""
    called: str = ""  # the name by which a program calls it, where that is not the kernel's

    @property
    def remark(self) -> str:
        """Say what the arrow or the line says, in words; empty where there is nothing to draw."""
        return {
            "exec": f"now {self.program}, same pid",
            "exit": "the process ends",
            "lost": "did not come back",
        }.get(self.effect or ("lost" if self.lost else ""), "")


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes, moments in the order of time, and sentences on what is left out."""

    lanes: tuple[Lane, ...]
    moments: tuple[Moment, ...]
    notes: tuple[str, ...] = ()
    walks: bool = False  # its program's lines are known

    @property
    def numbers(self) -> dict[int, int]:
        """The number of each moment, by its identity."""
        return {id(moment): number for number, moment in enumerate(self.moments)}


_last: list[tuple[RunResult | None, Timeline]] = [(None, Timeline((), ()))]  # for its text, and then for its HTML


def drawn(value: RunResult | SandboxResult | Sequence[StepReport]) -> Timeline:
    """Return the timeline of a container run, of a traced sandbox run, or of steps alone."""
    if isinstance(value, SandboxResult):
        return _of_sandbox(value)
    if not isinstance(value, RunResult):
        return _of_steps(value, None)
    run, timeline = _last[0]
    if run is not value:
        timeline = _of_steps(value.steps, value)
        _last[0] = value, timeline
    return timeline


def _of_steps(steps: Sequence[StepReport], run: RunResult | None) -> Timeline:
    ordered = in_order(steps)
    names = sorted({step.who for step in ordered}, key=lambda who: (who != "parent", who != "child", who))
    lanes = tuple(
        Lane(name, run.pid if run and name == "child" else 0, 0 if n else None) for n, name in enumerate(names)
    )
    where = {name: n for n, name in enumerate(names)}
    child = where.get("child")
    moments = []
    for step in ordered[:MOST_CALLS]:
        if step.name == "waitpid" and child is not None and run is not None and run.exit_status is not None:
            moments.append(_end(child, ending(run.exit_status), step.start))
        moments.append(_step(step, where[step.who], child, run))
    return Timeline(lanes, tuple(moments), _left_out(len(ordered)))


def _step(step: StepReport, lane: int, child: int | None, run: RunResult | None) -> Moment:
    call, result = without_pid(step, run)
    seen = printable(elided(step.call, run))  # a published page names no folder of its author
    effects = {"fork": "fork", "waitpid": "wait", "gate": "gate", "execve": "" if step.errno else "exec"}
    effect = effects.get(step.name, "")
    other = child if effect in ("fork", "wait") else 0 if effect == "gate" else None
    if other == lane:
        effect, other = "", None
    return Moment(
        lane=lane,
        name=_CALLED.get(step.name, step.name),
        call=call,
        full=f"{seen}  {printable(step.result)}",
        result=result,
        call_seen=seen,
        result_seen=printable(step.result),
        start=step.start,
        end=max(step.start, step.end),
        failed=bool(step.errno),
        effect=effect,
        other=other,
        program=_program(call) if effect == "exec" else "",
    )


def _of_sandbox(result: SandboxResult) -> Timeline:
    processes = result.processes[:MOST_LANES]
    where = {process.pid: n for n, process in enumerate(processes)}
    lanes = tuple(Lane(p.role, p.pid, where.get(p.parent) if n else None) for n, p in enumerate(processes))
    roles = {process.pid: process.role for process in result.processes}
    calls = sorted((call for call in result.calls if call.pid in where), key=lambda call: call.start)
    known = bool(result.begun)
    moments = [_call(call, where, roles, known=known) for call in calls[:MOST_CALLS]]
    for moment in moments:
        if moment.cell:
            moment.within = function_at(result.cells[moment.cell - 1], moment.line)
    moments = _with_ends(moments, processes, complete=len(calls) <= MOST_CALLS)
    notes = _left_out(len(calls))
    hidden = len(result.processes) - len(processes)
    if hidden:
        notes += (f"The picture shows the first {MOST_LANES} processes; {hidden} more are left out, with their calls.",)
    return Timeline(lanes, tuple(moments), notes, walks=known)


def _call(call: SystemCall, where: dict[int, int], roles: dict[int, str], *, known: bool) -> Moment:
    effect, other = _effect(call, where)
    lost = call.result == "?" and call.name not in NO_RETURN
    interrupted = call.errno.startswith("ERESTART")  # the kernel's own word: no program ever gets to see it
    full = printable(str(call))
    return Moment(
        lane=where[call.pid],
        name=call.name,
        called=name_of(call, known=known),
        call=spelled(call, roles, known=known),
        full=full,
        result=result_of(call, roles, becomes=effect == "exec"),
        start=call.start,
        end=max(call.start, call.end),
        failed=bool(call.errno) and not interrupted,
        lost=lost,
        effect=effect,
        other=other,
        program=_program(full) if effect == "exec" else "",
        line=call.line,
        cell=call.cell,
    )


def _effect(call: SystemCall, where: dict[int, int]) -> tuple[str, int | None]:
    """Return what a call does to the lanes, and the other lane it does it to."""
    value = call.value
    if call.name in NO_RETURN:
        return "exit", None
    if call.errno or value is None:
        return "", None
    if call.name in ("execve", "execveat"):
        return "exec", None
    if call.name in ("clone", "clone3", "fork", "vfork") and value in where:
        return "fork", where[value]
    if call.name in ("wait4", "waitid"):
        found = re.search(r"si_pid=(\d+)", call.arguments) if call.name == "waitid" else None
        other = where.get(int(found[1]) if found else value)
        return ("wait", other) if other is not None else ("", None)
    if call.name == "kill":
        target = where.get(int(found[1])) if (found := re.match(r"(\d+),", call.arguments)) else None
        return ("signal", target) if target is not None and target != where[call.pid] else ("", None)
    return "", None


def _program(call: str) -> str:
    found = _PROGRAM.match(call)
    return found[1] if found else "another program"


def _end(lane: int, words: str, time: int) -> Moment:
    return Moment(lane=lane, name="", call=words, full="", result="", start=time, end=time, effect="end")


def _with_ends(moments: list[Moment], processes: Sequence[SandboxProcess], *, complete: bool) -> list[Moment]:
    """Add a block for each end that no exit call shows: a signal, or a thing that nobody saw."""
    last = max((moment.end for moment in moments), default=0)
    ended = {moment.lane for moment in moments if moment.effect == "exit"}
    waits = {moment.other: moment for moment in moments if moment.effect == "wait"}
    for lane, process in enumerate(processes):
        if lane in ended or not moments or (process.status is None and not process.leftover) or not complete:
            continue
        words = "killed when the sandbox ended" if process.leftover or process.status is None else ""
        words = words or ending(process.status)  # type: ignore[arg-type]
        wait = waits.get(lane)
        moments.append(
            _end(lane, words, last if wait is None else wait.end if wait.end - wait.start >= GAP else wait.start)
        )
    return sorted(moments, key=lambda moment: (moment.start, moment.effect == "wait"))


def _left_out(count: int) -> tuple[str, ...]:
    if count <= MOST_CALLS:
        return ()
    return (f"The picture shows the first {MOST_CALLS} calls; {count - MOST_CALLS} later ones are left out.",)
