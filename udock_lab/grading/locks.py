"""What a referee arranges for processes that ask for a lock, and what it sees of them (exercise m2_3).

Its own means are the kernel's: it holds the lock itself, it asks whether somebody else has it (flock(2), LOCK_NB),
/proc/locks says who waits (proc_locks(5)), and a lease stops whoever opens a file (fcntl(2), F_SETLEASE).

In the learner's interpreter, and worth no more than their word: an audit hook tells which lock is asked for, a profile
function finds the last moment before a table changes, and a clock runs faster, so that who gives up does it soon.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from udock_lab.grading.inside import content_of
from udock_lab.grading.workers import Gate, Tell, Worker, Workers
from udock_lab.linux.load import crowd
from udock_lab.linux.process import parent

__all__ = [
    "LastMoment", "Lease", "append", "by_existence", "content", "hurry", "is_free", "is_held_alone", "keeping",
    "overtaken_at_flock", "put", "settled", "tell_locks", "waiting", "waits",
]  # fmt: skip

_MOST = 4.0  # times, on a busy machine
_BLIND = 1.0  # seconds, where /proc/locks is closed to us: who is not done by then waits
_ASKED = 3  # who has asked more often than that without waiting asks until the lock is free
_ASKING = 0.5  # seconds: whoever gives up asking has done so by then, on a clock as fast as hurry makes it
_FASTER = 100
_HEARD = 6  # so many words on locks from each process
_LARGEST = 1 << 20  # bytes of a table


# -- files ------------------------------------------------------------------------------------------------


def put(path: str, text: str | None) -> None:
    """Write a file, a byte a character; None makes nothing."""
    if text is not None:
        with open(path, "wb") as file:
            file.write(text.encode("latin-1"))


def append(path: str, text: str) -> None:
    """Write at its end; make it where it is missing."""
    with open(path, "ab") as file:
        file.write(text.encode("latin-1"))


def content(path: str) -> str | None:
    """Return the file, a byte a character; None where there is no such file."""
    return content_of(path, _LARGEST)


class Lease:
    """Whoever opens the file from now on waits in open(2), in the kernel, until it is let on (fcntl(2), F_SETLEASE).

    ``given`` is False where there can be none: the file is missing, somebody has it open, or the file system has none.
    """

    def __init__(self, path: str) -> None:
        self.given = False
        with suppress(OSError):
            self.file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.fcntl(self.file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            self.given = True

    def stops(self) -> bool:
        """Return whether somebody stands there."""
        return self.given and fcntl.fcntl(self.file, fcntl.F_GETLEASE) != fcntl.F_WRLCK

    def let_on(self) -> None:
        """Let it go on; nobody is stopped any more."""
        if self.given:
            self.given = False
            fcntl.fcntl(self.file, fcntl.F_SETLEASE, fcntl.F_UNLCK)  # a child may have a copy of the descriptor
            os.close(self.file)


# -- locks, as the kernel has them ------------------------------------------------------------------------


def is_free(path: str) -> bool | None:
    """Return whether nobody has flock on the file, neither LOCK_EX nor LOCK_SH; None where there is no such file."""
    return _could_have(path, fcntl.LOCK_EX)


def is_held_alone(path: str) -> bool:
    """Return whether somebody has LOCK_EX."""
    return _could_have(path, fcntl.LOCK_SH) is False


def _could_have(path: str, lock: int) -> bool | None:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(file, lock | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def waiting(for_: str = "") -> set[int]:
    """Return the pids of those that wait for a lock, as the kernel says, and of their parents, who may wait for them.

    ``for_``: one kind alone, of FLOCK, POSIX and LEASE (whoever is stopped where it opens a file).
    """
    try:
        with open("/proc/locks") as file:
            found = {int(line.split()[-4]) for line in file if "->" in line and for_ in line}
    except (OSError, ValueError, IndexError):
        return set()
    return found | {parent(pid) or 0 for pid in found}


def waits(one: Worker, those: set[int]) -> bool:
    """Return whether it waits in flock, or has asked so often without waiting that it waits all the same."""
    return one.pid in those or _asks(one)


def _asks(one: Worker) -> bool:
    return len([lock for lock in _locks(one) if _only_asks(lock)]) > _ASKED


def by_existence(one: Worker) -> bool:
    """Return whether it has asked with O_EXCL only: for it a file that exists is the lock."""
    return _asks(one) and all(how == "O_EXCL" for how, *_ in _locks(one))


def _locks(one: Worker) -> list[tuple[str, str, int]]:
    """Return what it has asked for, as far as it says so: how, on which file, operation."""
    told = one.words.get("locks", [])
    return [(str(how), str(where), int(what)) for how, where, what in told[:_HEARD]]


def _only_asks(lock: tuple[str, str, int]) -> bool:
    how, _, operation = lock
    return how == "O_EXCL" or bool(operation & fcntl.LOCK_NB)


def settled(workers: Workers, *ones: Worker) -> list[Any]:
    """Wait until each is done, gone, or waits for a lock; return what the done ones said, else None.

    Those that ask again and again are given the time in which a patience of theirs would end.
    """
    blind = 0 if os.access("/proc/locks", os.R_OK) else _BLIND * crowd(_MOST)

    def stand() -> bool:
        those = waiting()
        return all("done" in one.words or one.gone or waits(one, those) for one in ones)

    workers.until(stand, blind)
    if any(_asks(one) and not by_existence(one) for one in ones):
        workers.finished(*ones, seconds=_ASKING * min(crowd(_MOST), 2))
    return [one.words.get("done") for one in ones]


# -- in the learner's interpreter -------------------------------------------------------------------------


def tell_locks(tell: Tell) -> None:
    """Tell what locks are asked for from now on, the first few."""
    left = _HEARD

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        lock = _lock(event, arguments) if left else None
        if lock is not None:
            left -= 1
            tell(locks=lock)

    sys.addaudithook(audit)


def overtaken_at_flock(tell: Tell, gate: Gate) -> None:
    """Stop this process when it first calls flock, before it has the lock: somebody else is quicker."""
    asked, me = False, os.getpid()

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal asked
        if event == "fcntl.flock" and not asked and os.getpid() == me:
            asked = True
            tell(asked=True)
            gate.wait()

    sys.addaudithook(audit)


def _lock(event: str, arguments: tuple[Any, ...]) -> list[Any] | None:
    """Return ``[how, on which file, operation]``, if this event asks for a lock."""
    if event in ("fcntl.flock", "fcntl.lockf"):
        where = os.readlink(f"/proc/self/fd/{int(arguments[0])}")
        return [event[6:], os.path.basename(where), int(arguments[1])]
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_EXCL:
        return ["O_EXCL", os.path.basename(os.fsdecode(arguments[0])), 0]
    return None


def keeping(function: Callable[..., object]) -> Callable[..., object]:
    """Return the function; an error of it stays alive with its frames, as it does behind a cell that raised.

    What only a frame's end would have closed is still open then.
    """

    def call(*arguments: object) -> object:
        try:
            return function(*arguments)
        except BaseException as error:
            _kept.append(error)
            raise

    return call


_kept: list[BaseException] = []


def hurry() -> None:
    """Let this process's clocks and sleeps run faster; before the answer is loaded, which may take them by name."""
    start = {name: getattr(time, name)() for name in ("time", "monotonic", "perf_counter", "time_ns", "monotonic_ns")}

    def fast(name: str) -> Callable[[], float]:
        clock, began = getattr(time, name), start[name]
        return lambda: began + (clock() - began) * _FASTER

    sleep, timer = time.sleep, signal.setitimer
    for name in start:
        setattr(time, name, fast(name))
    time.sleep = lambda seconds, /: sleep(float(seconds) / _FASTER)
    signal.setitimer = lambda which, seconds, interval=0.0: timer(which, seconds / _FASTER, interval / _FASTER)
    signal.alarm = lambda seconds: int(timer(signal.ITIMER_REAL, seconds / _FASTER)[0])


class LastMoment:
    """The last moment at which a table is as it was: found in one call of a function, to stop another there."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.seen: list[tuple[object, ...]] = []

    def find(self, work: Callable[[], Any]) -> Any:
        """Call it, under a profile function that looks at the table (sys.setprofile)."""
        before = self._state()

        def profile(frame: FrameType, event: str, argument: object) -> None:
            if self._state() == before:
                self.seen.append(_moment(frame, event, argument))

        sys.setprofile(profile)
        try:
            return work()
        finally:
            sys.setprofile(None)

    def _state(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = os.stat(self.table)
            return found.st_ino, found.st_size
        return None

    def stop(self, tell: Tell, gate: Gate) -> None:
        """Stop this process there, until the gate opens."""
        last = self.seen[-1] if self.seen else None
        left = self.seen.count(last) if last else 0

        def profile(frame: FrameType, event: str, argument: object) -> None:
            nonlocal left
            if _moment(frame, event, argument) == last:
                left -= 1
                if left == 0:
                    sys.setprofile(None)
                    tell(paused=True)
                    gate.wait()

        sys.setprofile(profile)


def _moment(frame: FrameType, event: str, argument: object) -> tuple[object, ...]:
    called = getattr(argument, "__name__", "") if event[:2] == "c_" else ""
    return event, frame.f_code.co_name, frame.f_lineno, called
