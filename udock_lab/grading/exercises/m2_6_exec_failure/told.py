"""What was told of a list of programs, read with suspicion: it comes from the learner's interpreter."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.exercises.m2_6_exec_failure import scenes
from udock_lab.grading.submission import patience
from udock_lab.model import SandboxResult

__all__ = ["LATE", "PATIENCE", "TIMEOUT", "Program", "Told", "read", "run_all"]

LATE = 0.6  # seconds between fork and exec, once
PATIENCE = 2.5  # seconds for one run; it takes some hundredths
TIMEOUT = 10.0  # seconds for all of them


class Program(NamedTuple):
    """One call of run: what it said, how often it forked, how often the caller itself tried to become a program.

    ``channels``: kinds of the descriptors that were new at a fork. ``unread``: bytes left in its pipe, where somebody
    listened. ``collected``: whether a child was waited for.
    """

    said: ev.Said
    forks: int = 0
    here: int = 0
    channels: tuple[str, ...] = ()
    unread: int = 0
    collected: bool = False

    @property
    def hung(self) -> bool:
        """Whether it was still waiting when time was up."""
        return not self.said.returned and self.said.kind == scenes.Hung.__name__

    @property
    def values(self) -> list[Any] | None:
        """Code, signal and errno of what it returned; None if that is no ExitInfo."""
        plain = self.said.plain
        is_one = self.said.returned and self.said.is_a("ExitInfo") and isinstance(plain, list) and len(plain) == 3
        return plain if is_one and isinstance(plain, list) else None


class Told(NamedTuple):
    """What came of a list of programs, by name. ``copies``: what came out of run in a child, and in which run.

    ``could_write``: whether a child could write into something new as it came to its exec, where somebody listened.
    ``end``: what the scene returned; empty if it did not come to its end.
    """

    result: SandboxResult
    programs: dict[str, Program]
    copies: list[tuple[str, ev.Said]]
    could_write: bool
    end: Mapping[str, Any]

    @property
    def hung(self) -> Program | None:
        """The run that did not come back."""
        return next((program for program in self.programs.values() if program.hung), None)

    @property
    def without_a_fork(self) -> bool:
        """Whether no run forked: a library, the caller itself or nobody did what a child should do."""
        if any(program.forks for program in self.programs.values()):
            return False
        collected = any(program.collected for program in self.programs.values())  # a child of C's fork
        became = bool(self.result.parent.program) or any(program.here for program in self.programs.values())
        return became or not collected or bool(ev.library_calls(self.result))

    def file(self, name: str) -> list[str]:
        """Return the lines of a file that a program has left."""
        return self.result.files.get(name, b"").decode(errors="replace").splitlines()


def run_all(
    bench: Bench,
    programs: Sequence[tuple[str, list[str]]],
    files: Mapping[str, tuple[str, int]] | None = None,
    *,
    number: int = 0,
    beside: bool = False,
    watched: bool = False,
    listens: bool = False,
) -> Told:
    """Call run for each program, (name, argv), in one sandbox; ``./name`` is a file in its scratch folder.

    ``files``: name to (text, mode), made beforehand, beside ``dangling``, ``loop`` (links) and ``folder``. ``number``:
    the signal that ends the child of ``ends-before`` and ``ends-at-once``.
    """
    values = {
        "programs": list(programs),
        "files": dict(files or {}),
        "number": number,
        "patience": PATIENCE * patience(),
        "late": LATE,
        "beside": beside,
        "listens": listens,
    }
    result = bench.play(scenes.several, values=values, timeout=TIMEOUT, trace=watched, watch=watched)
    told = read(result)
    if result.ended_by == "lost" or (told.end and scenes.TOLD not in result.files):
        raise NotSeenError("what the sandbox wrote down is not there")
    return told


def read(result: SandboxResult) -> Told:
    """Read what a scene has told, line by line."""
    programs: dict[str, Program] = {}
    copies, could_write = [], False
    for text in result.files.get(scenes.TOLD, b"").decode(errors="replace").splitlines():
        line = json.loads(text)
        if not isinstance(line, dict):
            continue
        could_write |= line.get("can_write", False)
        said = ev.heard(line.get("said"))
        if said is None:
            continue
        if "copy" in line:
            copies.append((str(line["copy"]), said))
        else:
            programs[str(line["name"])] = _program(said, line)
    end = ev.seen_value(result)
    return Told(result, programs, copies, could_write, end if isinstance(end, dict) else {})


def _program(said: ev.Said, line: Mapping[str, Any]) -> Program:
    return Program(
        said=said,
        forks=int(line["forks"]),
        here=int(line["here"]),
        channels=tuple(map(str, line["channels"])),
        unread=int(line["unread"]),
        collected=bool(line["collected"]),
    )
