"""What a referee arranges for M2.6, and what it sees of run: programs through the learner's run, one after the other.

The referee never loads the answer (grading/referee.py). The kernel stops the caller of run, and all below it, before
each fork and each exec, and tells the referee (seccomp_unotify(2)); /proc shows the descriptors and who is whose child.
How a program ends, and why it can't be executed, is drawn only then: nobody can know it but by asking the kernel.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import SystemRandom
from typing import Any

from udock_lab.grading.exercises.m2_6_exec_failure import looks
from udock_lab.grading.exercises.m2_6_exec_failure.caller import ASTRAY, CALLS, Caller, in_turn
from udock_lab.grading.exercises.m2_6_exec_failure.looks import Descriptors
from udock_lab.grading.inside import content_of
from udock_lab.grading.workers import Functions, Gate, Workers
from udock_lab.linux.process import children, parent, state
from udock_lab.linux.stepping import FORK_CALLS, PROGRAM_CALLS, Stop, Stops

__all__ = ["several"]

_CLONE_VM, _CLONE_VFORK, _CLONE_THREAD = 0x100, 0x4000, 0x10000  # linux/sched.h
_LAST_WORDS = 0.3  # seconds for a run that is stopped to say where it was
_chance = SystemRandom()  # whoever was forked before it is asked cannot foretell what it says
_SHELL = "/bin/sh"


def several(
    load: Callable[[], Functions],
    *,
    programs: Sequence[Mapping[str, Any]],
    files: Mapping[str, tuple[str, int]],
    pools: Mapping[str, Sequence[Any]],
    variables: Mapping[str, str],
    patience: float,
    beside: bool,
) -> dict[str, Any]:
    """Call run for each program in one process, and say what was seen of it.

    ``pools``: from each of these is drawn, and what was drawn is no longer in it. ``beside``: the caller has two other
    children meanwhile. A program: its ``name``, ``argv`` (``./name``: a file in this folder), and what is to happen
    (told.Program says how).
    """
    os.environ.update(variables)
    _make(files)
    referee = Workers(load)
    caller, gate = Caller(), Gate()
    words = [_placed(program["argv"]) for program in programs]
    one = referee.start(in_turn, words, gate, beside, before=caller.begins)
    play = _Play(referee, one.pid, caller.listener(), {name: list(pool) for name, pool in pools.items()}, beside)
    referee.until(lambda: (play.serves() and "ready" in one.words) or one.gone)
    play.begins()
    for number, program in enumerate(programs):
        run = _Run(play, number, program, words[number][0])
        gate.open()
        came = referee.until(run.is_over, patience)
        if not came:
            run.is_stopped()
        run.ends()
        if not came or one.gone:
            break
    seen = play.ends()
    referee.clear()
    return seen


def _make(files: Mapping[str, tuple[str, int]]) -> None:
    for name, (text, mode) in files.items():
        with open(name, "w") as file:
            file.write(text)
        os.chmod(name, mode)
    os.symlink("/no/such/target", "dangling")
    os.symlink("loop", "loop")
    os.mkdir("folder")


def _placed(argv: list[str]) -> list[str]:
    """Return the words with ``./name`` made the path of a file in the scratch folder, which nobody knows before."""
    return [os.path.abspath(argv[0]) if argv[0].startswith("./") else argv[0], *argv[1:]]


class _Play:
    """The caller of run, as the referee sees it from the first call to the last."""

    def __init__(self, referee: Workers, pid: int, listener: int, pools: dict[str, list[Any]], beside: bool) -> None:
        self.referee, self.pid, self.pools, self.beside = referee, pid, pools, beside
        self.stops = Stops(listener, CALLS) if listener >= 0 else None
        if listener >= 0:
            referee.besides.append(listener)
        self.held: list[tuple[float, Stop]] = []
        self.run: _Run | None = None
        self.runs: list[dict[str, Any]] = []
        self.variables = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in os.environb.items()]

    def begins(self) -> None:
        """Take down how it is before the first call."""
        self.program = looks.program_of(self.pid)
        self.before = Descriptors(self.pid)
        self.others = {pid: state(pid) for pid in children(self.pid)}

    def serves(self) -> bool:
        """Let those on that the kernel has stopped, after a look; True."""
        while self.stops and (stop := self.stops.take()):
            until = self.run.stands(stop) if self.run else 0.0
            self.held.append((until, stop))
            self._let_on()
        self._let_on()
        return True

    def _let_on(self) -> None:
        now = time.monotonic()
        for until, stop in self.held:
            if until <= now and self.stops:
                self.stops.let_on(stop)
        self.held = [(until, stop) for until, stop in self.held if until > now]

    def is_caller(self, thread: int) -> bool:
        """Return whether this is the caller, or a thread of it."""
        return thread == self.pid or os.path.exists(f"/proc/{self.pid}/task/{thread}")

    def draws(self, pool: str) -> Any:
        """Take one from a pool."""
        return self.pools[pool].pop(_chance.randrange(len(self.pools[pool])))

    def new_descriptors(self) -> Descriptors:
        """Return those that it did not have before the first call."""
        return Descriptors(self.pid, since=self.before)

    def new_children(self) -> list[int]:
        """Return children, ended or not, that it did not have before."""
        return [pid for pid in children(self.pid) if pid not in self.others]

    def _others_are_there(self) -> bool:
        now = {pid: state(pid) for pid in self.others}
        same = all(now[pid] is not None and (now[pid] == "Z") == (was == "Z") for pid, was in self.others.items())
        return same and (not self.beside or ("Z" in now.values() and len(now) > 1))

    def ends(self) -> dict[str, Any]:
        """Say what is left."""
        left = [f"{'a zombie' if state(pid) == 'Z' else 'a child that still runs'}" for pid in self.new_children()]
        return {
            "runs": self.runs,
            "astray": (content_of(ASTRAY, 1 << 16) or "").splitlines(),
            "streams": [os.readlink(f"/proc/self/fd/{fd}") for fd in (1, 2)],
            "variables": [f"{name}={value}" for name, value in self.variables],
            "pid": self.pid,
            "gone": self.referee.all[self.pid].gone,
            "left": sorted(self.new_descriptors().all.values()),
            "children": left,
            "others": "" if self._others_are_there() else "collected",
            "witnessed": self.stops is not None,
        }


class _Run:
    """One call of run while it lasts."""

    def __init__(self, play: _Play, number: int, program: Mapping[str, Any], path: str) -> None:
        self.play, self.number, self.program, self.path = play, number, program, path
        self.forks, self.here, self.late_until = 0, 0, 0.0
        self.library = ""
        self.channels: set[str] = set()
        self.asked: dict[str, Any] | None = None
        self.ran: list[dict[str, Any]] = []
        self.readers: set[int] = set()
        self.drawn: Any = None  # how it is to end
        self.turn = ""  # what the kernel finds where it looks for the interpreter
        self.holds, self.killed = False, 0
        self.ears: list[int] = []
        self.faults = looks.faults_of_children(play.pid)
        self.gate = os.path.abspath(f"gate-{program['name']}") if program["gate"] else ""
        if self.gate:
            os.mkfifo(self.gate)
            self.tells = os.open(self.gate, os.O_RDWR | os.O_CLOEXEC)  # both ways (fifo(7)): nobody is waited for
        if program["turn"] and not play.stops:
            self._takes_a_turn()
        play.run = self

    # --- while it lasts

    def is_over(self) -> bool:
        """Do what there is to do, and return whether run has come back, or its caller is gone."""
        self.play.serves()
        if self.gate:
            self._at_the_gate()
        return self.words is not None or self.play.referee.all[self.play.pid].gone

    @property
    def words(self) -> Any:
        """What the caller says came of it."""
        told = self.play.referee.all[self.play.pid].words.get("outcomes", [])
        return next((one for one in told if isinstance(one, dict) and one.get("number") == self.number), None)

    def stands(self, stop: Stop) -> float:
        """Look at somebody who stands before a call; return until when it is to stand there."""
        if stop.name in FORK_CALLS:
            self._forks(stop)
        elif stop.name in PROGRAM_CALLS:
            return self._would_become(stop)
        elif self.program["kill"] == "born" and stop.pid in self.play.new_children() and not self.killed:
            self._kill(stop.pid)
        return 0.0

    def _forks(self, stop: Stop) -> None:
        flags = stop.arguments[0] if stop.name == "clone" else 0
        if stop.name == "clone3":
            flags = looks.word_at(stop.pid, stop.arguments[0])
        if not self.play.is_caller(stop.pid) or flags & _CLONE_THREAD:
            return
        if stop.name == "vfork" or flags & (_CLONE_VM | _CLONE_VFORK):
            self.library = f"{stop.name} (as in posix_spawn)"
            return
        self.forks += 1
        mine = self.play.new_descriptors()
        self.channels |= set(mine.kinds())
        if self.program["listens"]:
            self.ears += mine.read_ends()

    def _would_become(self, stop: Stop) -> float:
        if self.play.is_caller(stop.pid):
            self.here += 1
        if not looks.names_a_file(stop.pid, self.path, stop.arguments[stop.name == "execveat"]):
            return 0.0
        if self.asked is None:
            mine, its = self.play.new_descriptors(), Descriptors(stop.pid, since=self.play.before)
            self.asked = {
                "parent": parent(stop.pid),
                "pid": stop.pid,
                "mine": sorted(mine.all.values()),
                "its": sorted(its.all.values()),
                "can write": its.can_write(),
            }
            self.late_until = time.monotonic() + self.program["late"]
        if self.program["turn"] and not self.turn:
            self._takes_a_turn()
        if self.program["kill"] and not self.killed:
            self._kill(stop.pid)
        return self.late_until

    def _kill(self, pid: int) -> None:
        self.killed = pid
        self.drawn = self.play.draws("signals")
        with suppress(ProcessLookupError):
            os.kill(pid, self.drawn)

    def _takes_a_turn(self) -> None:
        """Draw what the interpreter of the script is: ``#!/.../turn-name/sh`` stands in its first line."""
        self.turn = self.play.draws(self.program["turn"])
        folder = f"turn-{os.path.basename(self.path)}"
        if self.turn == "ENOTDIR":
            _write(folder, "", 0o644)
        elif self.turn != "ENOENT":
            os.mkdir(folder)
            interpreter = f"{folder}/sh"
            if self.turn == "EACCES":
                _write(interpreter, "", 0o644)
            elif self.turn == "ENOEXEC":
                _write(interpreter, "no program", 0o755)
            else:
                os.symlink("sh" if self.turn == "ELOOP" else _SHELL, interpreter)

    def _at_the_gate(self) -> None:
        """Tell a program that waits there how to end; a copy of the caller is none."""
        for pid in looks.at_the_gate(self.gate, self.readers):
            if looks.program_of(pid) == self.play.program:
                continue
            self.readers.add(pid)
            mine = sorted(self.play.new_descriptors().all.values())
            found = looks.of_a_program(pid) | {"pid": pid, "mine": mine}
            self.ran.append(found | {"children": len(self.play.new_children())})
            self._is_told()

    def _has_come(self) -> bool:
        """Return whether the program is there, or nobody is left who might become it: a zombie does not."""
        self.play.serves()
        self._at_the_gate()
        return bool(self.ran) or all(state(pid) in ("Z", None) for pid in self.play.new_children())

    def _is_told(self) -> None:
        if self.drawn is None:
            self.drawn = self.play.draws(self.program["pool"])
        os.write(self.tells, f"{self.program['gate']} {self.drawn}\n".encode())

    # --- afterwards

    def is_stopped(self) -> None:
        """Stop it, for it waits for ever; it may say where."""
        self.holds = self.play.new_descriptors().holds_a_write_end()
        with suppress(ProcessLookupError):
            os.kill(self.play.pid, signal.SIGALRM)
        self.play.referee.until(self.is_over, _LAST_WORDS)

    def ends(self) -> None:
        """Take down what was seen."""
        if self.gate and not self.ran and (self.asked or self.play.new_children()):  # nobody waited for it
            self.play.referee.until(self._has_come)
        if self.program["turn"] and not self.turn:
            self._takes_a_turn()  # nobody has asked: what would have come of it
        if self.gate and self.drawn is None and self.turn in ("", "runs"):
            self._is_told()  # who comes later finds it there
        if self.program["kill"] and self.drawn is None:
            self.drawn = self.play.draws("signals")
        self.play.runs.append(
            {
                "name": self.program["name"],
                "said": self.words,
                "forks": self.forks,
                "here": self.here,
                "library": self.library,
                "channels": sorted(self.channels),
                "asked": self.asked,
                "ran": self.ran,
                "drawn": self.drawn,
                "by_signal": bool(self.program["kill"]) or self.program["gate"] in ("kill", "core"),
                "turn": self.turn,
                "holds": self.holds,
                "unread": sum(map(_rest, self.ears)),
                "collected": looks.faults_of_children(self.play.pid) > self.faults,
                "left": len(self.play.new_children()),
            }
        )
        self.play.run = None


def _write(path: str, text: str, mode: int) -> None:
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def _rest(ear: int) -> int:
    """Return how many bytes are left in a pipe."""
    found = 0
    with suppress(OSError):
        found = len(os.read(ear, 100))
    os.close(ear)
    return found
