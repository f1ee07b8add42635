"""Processes that call a learner's function at once, and a parent that sees how far each is (exercise m2_3).

Runs inside the sandbox, beside their code. A word comes through a pipe when a child is done or asks for a lock
(Python's audit events, PEP 578); /proc/locks says who waits (proc_locks(5)). A child can be stopped at the last
moment before it changes a table, and somebody else can be quicker at the moment in which it asks for the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from udock_lab.grading.inside import high_pipe
from udock_lab.linux.load import crowd
from udock_lab.linux.process import parent

__all__ = ["LastMoment", "Workers", "attempt", "content", "put"]

_PATIENCE = 4.0  # seconds, for what takes some milliseconds
_MOST = 4.0  # times that, on a busy machine
_BLIND = 1.0  # seconds, where /proc/locks is closed to us: who is not done by then waits
_ASKED = 3  # who has asked more often than that without waiting asks until the lock is free
_ASKING = 1.2  # seconds: whoever gives up asking has done so by then
_HEARD = 6  # so many words on locks from each child
_kept: list[BaseException] = []


def attempt(work: Callable[[], object]) -> list[str]:
    """Return what came of it: ``[returned or raised, in words, str or OSError or another type]``.

    The error stays alive with its frames, as it does behind a cell that raised: what only a frame's end would have
    closed is still open.
    """
    try:
        made = work()
    except BaseException as error:
        _kept.append(error)
        return ["raised", f"{type(error).__name__}: {error}"[:200], "OSError" if isinstance(error, OSError) else ""]
    if isinstance(made, str):
        return ["returned", str.__str__(made), "str"]
    return ["returned", repr(made)[:100], type(made).__name__]


def put(path: str, text: str | None) -> None:
    """Write a file, a byte a character; None makes nothing."""
    if text is not None:
        with open(path, "wb") as file:
            file.write(text.encode("latin-1"))


def content(path: str) -> str | None:
    """Return the file, a byte a character; None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read(1 << 16).decode("latin-1")
    except OSError:
        return None


class Workers:
    """Children that live on until :meth:`end`; each is a dictionary: ``pid``, ``done``, ``locks``, ``paused``."""

    def __init__(self) -> None:
        self.words, self.said = high_pipe()
        self.life, self.alive = high_pipe()
        self.all: dict[int, dict[str, Any]] = {}
        self.rest = b""

    def start(
        self,
        work: Callable[[], object],
        *,
        at_start: int | None = None,
        stop: Callable[[Workers], None] | None = None,
        overtake: Callable[[], object] | None = None,
    ) -> dict[str, Any]:
        """Start a child that works when a byte comes from ``at_start``.

        ``stop`` arranges that it is stopped, ``overtake`` is called when it first asks for flock, before it has it.
        """
        pid = os.fork()
        if pid:
            self.all[pid] = {"pid": pid, "done": None, "locks": [], "paused": False}
            return self.all[pid]
        try:
            os.close(self.alive)
            self._hear(overtake)
            if at_start is not None:
                os.read(at_start, 1)
            if stop is not None:
                stop(self)
            self.tell(done=attempt(work))
            os.read(self.life, 1)
        finally:
            os._exit(0)

    def tell(self, **words: object) -> None:
        """Say it to the parent, from the child."""
        os.write(self.said, json.dumps({"pid": os.getpid(), **words}).encode() + b"\n")

    def _hear(self, overtake: Callable[[], object] | None) -> None:
        left = _HEARD

        def audit(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left, overtake
            if event == "fcntl.flock" and overtake is not None:
                quicker, overtake = overtake, None
                quicker()
            lock = _lock(event, arguments) if left else None
            if lock is not None:
                left -= 1
                self.tell(lock=lock)

        sys.addaudithook(audit)

    def until(self, holds: Callable[[], object], seconds: float = 0) -> bool:
        """Wait for it, so many seconds at most; by default the time that no answer needs, however busy the machine."""
        deadline = time.monotonic() + (seconds or _PATIENCE * crowd(_MOST))
        words = select.poll()
        words.register(self.words, select.POLLIN)
        while not holds():
            if time.monotonic() > deadline:
                return False
            if words.poll(10):
                self._take(os.read(self.words, 65536))
        return True

    def _take(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            words = json.loads(line)
            one = self.all.get(words["pid"])
            if one is None:
                continue  # a child of a child
            if "lock" in words:
                one["locks"].append(words["lock"])
            else:
                one.update(words)

    def waiting(self) -> set[int]:
        """Return the pids of those that wait in flock, as the kernel says, and of those that wait for such a child."""
        try:
            with open("/proc/locks") as file:
                waiting = {int(line.split()[-4]) for line in file if "->" in line}
        except (OSError, ValueError):
            return set()
        return waiting | {parent(pid) or 0 for pid in waiting if pid not in self.all}

    def waits(self, one: dict[str, Any], waiting: set[int] | None = None) -> bool:
        """Return whether it waits in flock, or has asked so often without waiting that it waits all the same."""
        return _asks(one) or one["pid"] in (self.waiting() if waiting is None else waiting)

    def settled(self, *ones: dict[str, Any]) -> list[Any]:
        """Wait until each is done, stopped, or waits for a lock; return what the done ones returned, else None.

        Those that ask again and again are given the time in which a patience of theirs would end.
        """
        seconds = 0 if os.access("/proc/locks", os.R_OK) else _BLIND * crowd(_MOST)
        self.until(lambda: all(one["done"] or one["paused"] or self.waits(one) for one in ones), seconds)
        if any(_asks(one) and not by_existence(one) for one in ones):
            self.until(lambda: all(one["done"] for one in ones), _ASKING)
        return [one["done"] for one in ones]

    def finished(self, *ones: dict[str, Any]) -> list[Any]:
        """Wait until each is done, where no other is in the way; return what they returned.

        One that only looks whether a file exists will not come back: it is not waited for.
        """
        hopeless = all(one["done"] or by_existence(one) for one in ones)
        self.until(lambda: all(one["done"] for one in ones), 0.5 if hopeless else 0)
        return [one["done"] for one in ones]

    def end(self) -> None:
        """End all of them."""
        os.close(self.alive)
        for pid, one in self.all.items():
            if not one["done"]:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def by_existence(one: dict[str, Any]) -> bool:
    """Return whether it has asked with O_EXCL only: for it a file that exists is the lock."""
    return _asks(one) and all(how == "O_EXCL" for how, _, _ in one["locks"])


def _asks(one: dict[str, Any]) -> bool:
    asked = [how for how, _, operation in one["locks"] if how == "O_EXCL" or operation & fcntl.LOCK_NB]
    return len(asked) > _ASKED


def _lock(event: str, arguments: tuple[Any, ...]) -> list[Any] | None:
    """Return ``[how, on which file, operation]``, if this event asks for a lock."""
    if event in ("fcntl.flock", "fcntl.lockf"):
        where = os.readlink(f"/proc/self/fd/{int(arguments[0])}")
        return [event[6:], os.path.basename(where), int(arguments[1])]
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_EXCL:
        return ["O_EXCL", os.path.basename(os.fsdecode(arguments[0])), 0]
    return None


class LastMoment:
    """The last moment at which a table is as it was: found in one call of a function, to stop another there."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.seen: list[tuple[object, ...]] = []

    def find(self, work: Callable[[], object]) -> list[str]:
        """Call it, under a profile function that looks at the table (sys.setprofile)."""
        before = self._state()

        def profile(frame: FrameType, event: str, argument: object) -> None:
            if self._state() == before:
                self.seen.append(_moment(frame, event, argument))

        sys.setprofile(profile)
        try:
            return attempt(work)
        finally:
            sys.setprofile(None)

    def _state(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = os.stat(self.table)
            return found.st_ino, found.st_size
        return None

    def stop(self, gate: int) -> Callable[[Workers], None]:
        """Return a ``stop`` for :meth:`Workers.start`: stopped there, until a byte comes from ``gate``."""
        last = self.seen[-1] if self.seen else None

        def watch(workers: Workers) -> None:
            left = self.seen.count(last) if last else 0

            def profile(frame: FrameType, event: str, argument: object) -> None:
                nonlocal left
                if _moment(frame, event, argument) == last:
                    left -= 1
                    if left == 0:
                        sys.setprofile(None)
                        workers.tell(paused=True)
                        os.read(gate, 1)

            sys.setprofile(profile)

        return watch


def _moment(frame: FrameType, event: str, argument: object) -> tuple[object, ...]:
    called = getattr(argument, "__name__", "") if event[:2] == "c_" else ""
    return event, frame.f_code.co_name, frame.f_lineno, called
