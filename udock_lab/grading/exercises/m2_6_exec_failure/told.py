"""Programs for run, and what was seen of them: by a referee, but for what run itself returned."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.exercises.m2_6_exec_failure import scenes
from udock_lab.grading.exercises.m2_6_exec_failure.caller import Hung
from udock_lab.grading.submission import patience
from udock_lab.model import SandboxResult

__all__ = ["LATE", "PATIENCE", "Program", "Run", "Told", "held", "run_all", "script", "turns"]

LATE = 0.6  # seconds between fork and exec, once
PATIENCE = 2.5  # seconds for one run; it takes some hundredths
_TIMEOUT = 12.0  # seconds for all of them
_HUNG = ev.Said(how="raised", kind=Hung.__name__)
# A program that does as it is told, and is told only when it is there. A core file is one where cores go into the
# working directory: bit 7 of the status.
_HELD = """read how number < gate-NAME
case $how in
prints) echo 2; echo 2 >&2; echo TEXT; how=exit;;
core) read pattern < /proc/sys/kernel/core_pattern; case $pattern in "|"*|*/*) ;; *) ulimit -c 16;; esac;;
esac
case $how in exit) exit $number;; *) kill -$number $$;; esac
"""


class Program(NamedTuple):
    """One program for run, and what happens to it.

    ``gate``: it waits, and is told to end: ``exit``, ``prints`` (and exit), ``kill``, ``core`` (a signal with a core
    file), with a number drawn from ``pool``. ``turn``: its interpreter is drawn from this pool when execve is asked:
    an errno's name, or ``runs``. ``kill``: the child is killed as it comes to its ``exec``, or as soon as it is
    ``born``. ``late``: seconds that it is held before its exec. ``listens``: what is left unread in its pipe
    is counted.
    """

    name: str
    argv: list[str]
    gate: str = ""
    pool: str = ""
    turn: str = ""
    kill: str = ""
    late: float = 0.0
    listens: bool = False


def held(name: str, gate: str, pool: str, *words: str, prints: str = "") -> Program:
    """Return a program that ends as it is told."""
    return Program(name, ["/bin/sh", "-c", script(name, prints), *words], gate, pool)


def script(name: str, prints: str = "") -> str:
    """Return what such a program does."""
    return _HELD.replace("NAME", name).replace("TEXT", prints)


def turns(names: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return the scripts whose interpreter is drawn."""
    return {name: (f"#!turn-{name}/sh\n{script(name)}", 0o755) for name in names}


class Run(NamedTuple):
    """One call of run. ``said``: what it returned or raised; the rest is the referee's.

    ``forks``, ``library``: how often the caller forked, and as what; ``channels``: kinds of the descriptors that were
    new at a fork. ``here``: how often the caller itself tried to become a program. ``asked``: how it was when execve
    was asked for this program; ``ran``: the programs that waited at its gate; ``drawn`` (a signal
    if ``by_signal``), ``turn``: what was drawn.
    ``holds``: whether a run that hangs holds a write end. ``unread``: bytes left in its pipe, where somebody listened.
    ``collected``, ``left``: whether a child was waited for, and how many are left.
    """

    said: ev.Said
    forks: int
    here: int
    library: str
    channels: tuple[str, ...]
    asked: Mapping[str, Any] | None
    ran: Sequence[Mapping[str, Any]]
    drawn: int | None
    by_signal: bool
    turn: str
    holds: bool
    unread: int
    collected: bool
    left: int

    @property
    def hung(self) -> bool:
        """Whether it was still waiting when time was up."""
        return not self.said.returned and self.said.kind == Hung.__name__

    @property
    def wanted(self) -> list[int | None]:
        """Code, signal and errno, as they were drawn."""
        if self.turn not in ("", "runs"):
            number = getattr(errno, self.turn)
            return [127 if number == errno.ENOENT else 126, None, number]
        return [None, self.drawn, None] if self.by_signal else [self.drawn, None, None]

    @property
    def values(self) -> list[Any] | None:
        """Code, signal and errno of what it returned; None if that is no ExitInfo."""
        plain = self.said.plain
        is_one = self.said.returned and self.said.is_a("ExitInfo") and isinstance(plain, list) and len(plain) == 3
        return plain if is_one and isinstance(plain, list) else None


class Told(NamedTuple):
    """What came of a list of programs, by name.

    ``last``: the run in which the caller ended. ``copies``: what came out of run in a child, and in which run.
    ``end``: what the referee saw at the end; empty if it did not come to that.
    """

    result: SandboxResult
    programs: dict[str, Run]
    last: Run | None
    copies: list[tuple[str, ev.Said]]
    end: Mapping[str, Any]

    @property
    def hung(self) -> Run | None:
        """The run that did not come back."""
        return next((program for program in self.programs.values() if program.hung), None)

    def wanted(self, name: str) -> list[int | None]:
        """Return what should have come back for a program."""
        return self.programs[name].wanted if name in self.programs else [None, None, None]

    @property
    def witnessed(self) -> bool:
        """Whether the kernel told of each fork and each exec."""
        return bool(self.end.get("witnessed"))

    @property
    def library(self) -> list[str]:
        """What forked in the learner's place: by Python's word, or by the kernel's."""
        return ev.library_calls(self.result) or [run.library for run in self.programs.values() if run.library]

    @property
    def without_a_fork(self) -> bool:
        """Whether no run forked: a library, the caller itself or nobody did what a child should do."""
        runs = self.programs.values()
        if self.end.get("gone") and any(run.here for run in runs):
            return True
        if self.witnessed:
            return not any(run.forks for run in runs) or not (self.copies or any(run.asked for run in runs))
        return bool(self.library) or not any(run.collected or run.left for run in runs)


def run_all(
    bench: Bench,
    programs: Sequence[Program],
    files: Mapping[str, tuple[str, int]] | None = None,
    pools: Mapping[str, Sequence[Any]] | None = None,
    *,
    variables: Mapping[str, str] | None = None,
    beside: bool = False,
) -> Told:
    """Call run for each program in one process, in one sandbox, before a referee.

    ``files``: name to (text, mode), made beforehand, beside ``dangling``, ``loop`` (links) and ``folder``. ``pools``:
    what is drawn from. ``beside``, ``variables``: as scenes.several has them.
    """
    values = {
        "programs": [program._asdict() for program in programs],
        "files": dict(files or {}),
        "pools": dict(pools or {}),
        "variables": dict(variables or {}),
        "patience": PATIENCE * patience(),
        "beside": beside,
    }
    result = bench.play(scenes.several, values=values, timeout=_TIMEOUT, apart=True, trace=False, watch=False)
    told = _read(result)
    died = ev.raised(result) or (result.exit_status is not None and result.exit_status.signaled)  # of the answer
    if result.ended_by == "lost" or (result.ended_by == "end" and not told.end and not died):
        raise NotSeenError("what the referee saw is not there")
    if told.end and not told.witnessed:
        bench.note("Judged by effects alone: this kernel does not tell of a process's forks and execs.")
    return told


def _read(result: SandboxResult) -> Told:
    end = ev.seen_value(result)
    if not isinstance(end, dict):
        return Told(result, {}, None, [], {})
    runs = {one["name"]: _run(one) for one in end["runs"]}
    name, said = (end["runs"][-1]["name"], end["runs"][-1]["said"]) if runs else ("", None)
    last = runs.pop(name) if runs and end["gone"] and not said else None
    return Told(result, runs, last, _copies(end), end)


def _run(seen: Mapping[str, Any]) -> Run:
    known = {name: value for name, value in seen.items() if name in Run._fields}
    return Run(**known | {"said": ev.heard(seen["said"]) or _HUNG, "channels": tuple(seen["channels"])})


def _copies(end: Mapping[str, Any]) -> list[tuple[str, ev.Said]]:
    """Return what copies of the caller have written down."""
    found = []
    for line in end["astray"]:
        with suppress(ValueError, TypeError, LookupError, RecursionError):  # theirs, in any shape
            number, words = json.loads(line)
            if (said := ev.heard(words)) is not None:
                found.append((str(end["runs"][number]["name"]), said))
    return found
