"""Processes that call a learner's run: what came of it, and what can be done to them at the worst moment.

Functions that begin with ``in_`` are the first that such a process does; the answer is loaded there. What a runner
tells is the learner's word.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home, patience, polls, take, waits
from udock_lab.grading.inside import high, said
from udock_lab.grading.workers import Functions, Gate, Tell
from udock_lab.linux.process import children

__all__ = [
    "Call",
    "Watch",
    "held_back",
    "in_a_row",
    "in_one_run",
    "in_ten_at_once",
    "killed_before_its_record",
    "unwatched",
]

Call = tuple[str, str, list[str]]  # what it is called here, image, argv
Watch = Callable[[Tell, Home, list[int]], object]
_OPENERS = {"write", "writev", "send", "sendall", "eventfd_write", "kill"}
_TOUCHES = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "fcntl.flock", "fcntl.lockf", "fcntl.fcntl",
            "sqlite3.connect", "socket.bind"}  # fmt: skip
_LONG = 2000  # letters of what run returned or raised
_ROOM = 1 << 14  # bytes of what a copy of a runner says


def in_a_row(tell: Tell, functions: Functions, home: Home, calls: list[Call], gate: Gate | None) -> None:
    """Call run for each, in one process, and wait at the ``gate`` behind each.

    Its first child is another program's, which has ended already: the caller's own business.
    """
    another = _another_child() if gate else 0
    forks = _count_forks()
    for name, image, argv in calls:
        _call(tell, functions[0], home, name, image, argv, forks)
        if another and _is_gone(another):
            tell(taken=name)
            another = 0
        if gate:
            gate.wait()


def in_one_run(tell: Tell, functions: Functions, home: Home, call: Call, watch: Watch) -> None:
    """Call run for one program, with ``watch`` around it."""
    forks = _count_forks()
    watch(tell, home, forks)
    _call(tell, functions[0], home, *call, forks)


def _another_child() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(99)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def _is_gone(child: int) -> bool:
    try:
        return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return True


def _count_forks() -> list[int]:
    """Return a list that is one longer after each fork of this process."""
    forks: list[int] = []
    me = os.getpid()

    def count() -> None:
        if os.getpid() == me:
            forks.append(1)

    os.register_at_fork(before=count)
    return forks


def _call(
    tell: Tell, run: Callable[..., object], home: Home, name: str, image: str, argv: list[str], forks: list[int]
) -> None:
    """Call run and tell what came of it; a copy of this process that comes out of run says so, too.

    A copy may have closed every descriptor that it found: what it says is also left in memory that both share.
    """
    me, before, shared = os.getpid(), len(forks), mmap.mmap(-1, _ROOM)
    told = _short(said(run, home.path, image, argv))
    if os.getpid() != me:
        try:
            shared[:] = json.dumps(told).encode()[:_ROOM].ljust(_ROOM, b"\0")
        finally:
            os._exit(0)
    copy = shared[:].rstrip(b"\0")
    with suppress(ValueError):  # too long to be whole
        tell(outcomes=[name, told, len(forks) - before, json.loads(copy) if copy else None])
        return
    tell(outcomes=[name, told, len(forks) - before, {"how": "returned", "kind": "object", "shown": "something"}])


def _short(told: dict[str, object]) -> dict[str, object]:
    """Return it without what nobody reads: a very long text's end, a very long value."""
    plain = told.get("plain")
    return told | {"shown": str(told["shown"])[:_LONG], "plain": plain if len(repr(plain)) < _LONG else []}


# -- what is done to a runner -----------------------------------------------------------------------------


def _until(holds: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + patience(seconds)
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.002)
    return False


def _until_it_stands(begun: Callable[[], bool], seconds: float) -> None:
    """Wait until the program has begun or the child waits at its gate; who still polls after a while polls a gate."""
    if not _until(lambda: begun() or any(map(waits, children(os.getpid()))), 0.3):
        _until(lambda: begun() or any(map(polls, children(os.getpid()))), seconds - 0.3)


def unwatched(tell: Tell, home: Home, forks: list[int]) -> None:
    """Do nothing to it."""


class held_back:  # noqa: N801 - used like a function
    """Let the program of a run go first wherever it can.

    The parent waits at its first open after the fork, until the child waits at its gate or the program begins. When
    it may have opened the gate, it waits for the program: what is not on disk then was not written before it. After
    each call of C in between, and before each call that may take the table away or put another in its place: is the
    table there, is it whole?
    """

    def __init__(self, tell: Tell, home: Home, forks: list[int]) -> None:
        self.home, self.forks, self.me = home, forks, os.getpid()
        self.waited = self.looking = False
        self.opened = 0
        self.size = os.stat(home.table).st_size
        self.torn = high(os.open("torn", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644))
        sys.addaudithook(self.audit)
        sys.setprofile(self.profile)

    def begun(self) -> bool:
        return bool(self.home.said("started")[0])

    def mine(self) -> bool:
        return bool(self.forks) and not self.looking and os.getpid() == self.me

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.mine() or event not in ("open", "os.rename", "os.remove", "os.link"):
            return
        self.looking = True
        if event == "open" and not self.waited and self.home.path in str(arguments[0]):
            self.waited = True
            self.hold_back()
        self.look(event, arguments)
        self.looking = False

    def hold_back(self) -> None:
        _until_it_stands(self.begun, 1.0)
        if self.begun():  # it was not held back: let that be seen
            _until(lambda: os.path.exists("looked"), 3)

    def look(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not os.path.exists(self.home.table):
            self.says("there was no table for a moment")
        if event == "os.rename" and os.path.basename(os.fsdecode(arguments[1])) == "containers.db":
            folder = f"/proc/self/fd/{arguments[2]}" if arguments[2] >= 0 else os.getcwd()
            new = take(os.path.join(folder, os.fsdecode(arguments[0])))
            if len(new) < len(take(self.home.table)):  # both phases make it longer
                self.says(f"the new table was put in place with {len(new)} bytes in it")

    def says(self, words: str) -> None:
        os.write(self.torn, f"{words}\n".encode())

    def profile(self, frame: FrameType, event: str, function: Any) -> None:
        if event != "c_return" or not self.mine():
            return
        self.looking = True
        self.half_a_line()
        if function.__name__ in _OPENERS and type(getattr(function, "__self__", None)).__name__ in ("module", "socket"):
            self.let_the_program_go_first()
        self.looking = False

    def half_a_line(self) -> None:
        try:
            size = os.stat(self.home.table).st_size
        except OSError:
            return
        if size > self.size and not (text := take(self.home.table)).endswith("\n"):
            self.says(f"half a record: {text.rpartition(chr(10))[2]!r}")
        self.size = size

    def let_the_program_go_first(self) -> None:
        self.opened += 1
        if _until(self.begun, 0.15):
            _until(lambda: os.path.exists("looked"), 3)
            self.opened = 3
        if self.opened >= 3:
            sys.setprofile(None)


def killed_before_its_record(tell: Tell, home: Home, forks: list[int]) -> None:
    """Kill this process at the first thing it does in home after the fork, when its child waits at the gate."""
    me = os.getpid()
    there: list[int] = []

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if there or not forks or os.getpid() != me or event not in _TOUCHES:
            return
        if event in ("open", "os.rename", "os.remove", "os.link", "os.mkdir") and home.path not in str(arguments[0]):
            return
        there.append(1)
        _until_it_stands(lambda: bool(home.said("orphan")[0]), 0.6)
        tell(killed=children(os.getpid()))
        os.kill(me, signal.SIGKILL)

    sys.addaudithook(audit)


def in_ten_at_once(tell: Tell, functions: Functions, home: Home, before: Call, calls: list[Call], gate: Gate) -> None:
    """Call run once; then fork a process for each of the calls, five at first and five while those are at work.

    What an answer keeps from the first call, all of them have.
    """
    forks = _count_forks()
    _call(tell, functions[0], home, *before, forks)
    for number, call in enumerate(calls):
        if os.fork() == 0:
            _slow(home)
            gate.wait()
            time.sleep(0.02 * max(0, number - 4))
            _call(tell, functions[0], home, *call, _count_forks())
            os._exit(0)
    tell(ready=True)
    for _ in calls:
        os.wait()


def _slow(home: Home) -> None:
    """Let each open, rename and removal take a moment longer, so that whoever may be overtaken is."""

    def pause(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.remove") and home.path in str(arguments[0]):
            time.sleep(0.012 if event == "os.rename" else 0.006)

    sys.addaudithook(pause)
