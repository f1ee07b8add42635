"""The referee of M2.1: it meets programs, looks at them in /proc, and tells each how to end.

A program writes its name and its pid into ``here`` and reads its end from its gate, two FIFOs (fifo(7)). The referee
believes the kernel alone: a name counts when that pid is the shell that was asked for.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from udock_lab.grading.exercises.m2_1_process_creation.programs import SHELL
from udock_lab.grading.inside import content_of, high, said
from udock_lab.grading.workers import Functions, Load, Tell, Workers
from udock_lab.linux.process import children, descendants, lives, parent, state

__all__ = ["Act", "Ends", "Launch", "Program", "Stage", "as_it_comes", "in_turn", "told"]

Launch = Callable[[list[str]], object]
_PATIENCE = 0.5  # seconds that a process may outlive what launch has said
_STOPPED = 0.06  # seconds that a stopped program stays so: whoever asked for stops has heard of it then
_REAP = 0.03  # seconds
_MOST = 30_000  # characters of what launch has said
_MOST_PROGRAMS = 600


class Program:
    """One process that has become a program. ``end`` is ``exit 3`` or ``kill 9``, empty while nobody has told it."""

    def __init__(self, name: str, pid: int) -> None:
        self.name, self.pid = name, pid
        self.since = time.monotonic()
        self.parent = parent(pid) or 0
        self.words = (content_of(f"/proc/{pid}/cmdline") or "").split("\0")[:-1]
        self.end = ""
        self.stopped = self.goes_on = 0.0  # when

    @property
    def is_there(self) -> bool:
        """Whether this pid is the shell; where /proc does not tell, nobody contradicts."""
        try:
            return os.readlink(f"/proc/{self.pid}/exe") == os.path.realpath(SHELL)
        except PermissionError:
            return lives(self.pid)
        except OSError:
            return False

    def stopped_for_a_moment(self, seconds: float) -> bool:
        """Stop it and let it go on, as Ctrl-Z and fg do; return whether it has gone on for so long."""
        now = time.monotonic()
        if not self.stopped:
            if now < self.since + 0.006:  # its parent is in its wait by now, as a rule
                return False
            self._send(signal.SIGSTOP)
            self.stopped = now
        elif not self.goes_on:
            if state(self.pid) in ("T", "t") and now > self.stopped + _STOPPED:
                self._send(signal.SIGCONT)
                self.goes_on = now
        else:
            return now > self.goes_on + seconds
        return False

    def _send(self, number: int) -> None:
        with suppress(OSError):
            os.kill(self.pid, number)


Ends = Callable[[Program], str]  # an empty one: not yet


def as_it_comes(end: str) -> Ends:
    """Tell it that end at once."""
    return lambda program: end


class Stage(Workers):
    """Acts side by side, and the programs of all of them."""

    BUSY = 6.0

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self.ends: dict[str, Ends] = {}
        self.programs: list[Program] = []
        self._begun = b""
        self._reaped = 0.0
        os.mkfifo("here")
        self._here = high(os.open("here", os.O_RDWR | os.O_NONBLOCK))  # with a writer of our own it never ends

    def expect(self, name: str, ends: Ends) -> None:
        """Wait for a program of that name."""
        os.mkfifo(f"gate-{name}")
        self.ends[name] = ends

    def play(self, acts: Sequence[Act], seconds: float) -> None:
        """Meet programs until all acts are over, so many seconds at most."""

        def over() -> bool:
            self._meet()
            return sum(act.is_over() for act in acts) == len(acts)

        self.until(over, seconds)

    def reap(self) -> None:
        """Do so now and then: strace stops us for each question."""
        if time.monotonic() > self._reaped + _REAP:
            super().reap()
            self._reaped = time.monotonic()

    def _meet(self) -> None:
        with suppress(BlockingIOError):
            while data := os.read(self._here, 1 << 16):
                *lines, self._begun = (self._begun + data[-4096:]).split(b"\n")
                for words in map(bytes.split, lines):
                    if len(words) == 2 and words[1].isdigit() and len(words[1]) < 9:
                        self._is_here(words[0].decode("latin-1"), int(words[1]))
        for program in self.programs:
            if not program.end:
                self._tell_its_end(program)

    def _is_here(self, name: str, pid: int) -> None:
        program = Program(name, pid)
        if name in self.ends and program.is_there and len(self.programs) < _MOST_PROGRAMS:
            self.programs.append(program)

    def _tell_its_end(self, program: Program) -> None:
        if not (end := self.ends[program.name](program)):
            return
        try:
            gate = os.open(f"gate-{program.name}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno != errno.ENXIO:  # not yet at the gate
                program.end = "-"
            return
        os.write(gate, f"{end}\n".encode())
        os.close(gate)
        program.end = end

    def orphans(self) -> list[int]:
        """Return the living that came here when their parent had ended."""
        return [pid for pid in children(os.getpid()) if pid not in self.all and lives(pid)]

    def leave(self) -> None:
        """Let the workers that have said all end, and wait for them; what else lives is left to be found."""
        os.close(self._alive)
        deadline = time.monotonic() + 2.0
        while any(not one.gone and "done" in one.words for one in self.all.values()) and time.monotonic() < deadline:
            super().reap()
            time.sleep(0.001)

    def kill(self) -> None:
        """End whatever runs below this process."""
        deadline = time.monotonic() + 2.0
        while (left := children(os.getpid())) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            super().reap()
            time.sleep(0.001)


class Act:
    """A process that launches in a folder of its own, in a session of its own; ``work`` is what it does."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        files: Mapping[str, str],
        work: Callable[..., object],
        *rest: object,
        before: Callable[[], object] | None = None,
    ) -> None:
        self.stage, self.name = stage, name
        self._over = 0.0
        self._left: list[int] | None = None  # not known yet
        _write(name, files)

        def first() -> None:
            os.setsid()
            os.chdir(name)
            if before is not None:
                before()

        self.one = stage.start(work, *rest, before=first)

    def is_done(self) -> bool:
        """Return whether launch has come back from all, or never will."""
        return "done" in self.one.words or self.one.gone

    def is_over(self) -> bool:
        """Return whether that is so, and whatever it left has had its time."""
        if not self._over and self.is_done():
            self._over = time.monotonic()
        if self._over and self._left is None:
            left = self._who_is_left()
            if not left or time.monotonic() > self._over + _PATIENCE:
                self._left = left
        return self._left is not None

    def _who_is_left(self) -> list[int]:
        """Return whoever lives below it, or has left its place."""
        orphans = [pid for pid in self.stage.orphans() if _session(pid) not in self._others()]
        return [pid for pid in descendants(self.one.pid) if pid not in self.own() and lives(pid)] + orphans

    def own(self) -> list[int]:
        """Return processes below it that are no answer's."""
        return []

    def _others(self) -> set[int]:
        return {pid for pid in self.stage.all if pid != self.one.pid}

    def told(self) -> dict[str, object]:
        """Return what is known of it."""
        words = [one.words for one in self.stage.all.values()]
        return {
            "pid": self.one.pid,
            "over": self._left is not None,
            "left": self._left or [],
            "answers": self.one.words.get("answers", []),
            "strays": [text for word in words for name, text in _pairs(word.get("strays")) if name == self.name],
            "programs": [
                [one.name, one.pid, one.parent, one.words, one.end]
                for one in self.stage.programs
                if one.name.startswith(f"{self.name}-")
            ],
        }


def _pairs(words: object) -> list[list[object]]:
    return [one for one in words if isinstance(one, list) and len(one) == 2] if isinstance(words, list) else []


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _write(folder: str, files: Mapping[str, str]) -> None:
    """Write files and links (``-> where``) into a folder, all of them executable."""
    os.mkdir(folder)
    for name, text in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text.startswith("-> "):
            os.symlink(text.removeprefix("-> "), path)
            continue
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o755)


# -- in a process of the answer's -------------------------------------------------------------------------


def in_turn(tell: Tell, functions: Functions, act: str, programs: Sequence[list[str]]) -> None:
    """Launch programs one after another."""
    for argv in programs:
        tell(answers=told(tell, functions[0], act, argv))
    tell(done=True)


def told(tell: Tell, launch: Launch, act: str, argv: list[str]) -> str:
    """Call launch and return what it said, as text; whoever else comes out of it says so, and ends."""
    caller = os.getpid()
    answer = said(launch, argv)
    text = ascii(answer)
    if len(text) > _MOST:
        text = ascii(answer | {"plain": [], "shown": str(answer["shown"])[:1000], "mro": [], "code": ""})
    if os.getpid() != caller:
        tell(strays=[act, text])
        os._exit(0)
    return text
