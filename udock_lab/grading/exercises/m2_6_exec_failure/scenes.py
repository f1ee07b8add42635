"""What the sandbox runs for M2.6: programs through the learner's ``run``, one after the other.

What came back, and what was seen beside it, goes into the file ``told``, one line a program: a process that becomes
a program, or never comes back, has told what it knew before.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress

from udock_lab.grading.inside import high_pipe, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType
    from typing import Any

__all__ = ["TOLD", "Hung", "inherits", "several"]

TOLD = "told"
ENDED, BUSY = 111, 110  # exit codes of the caller's other children
_FAR = 500  # descriptors from here on are ours


class Hung(BaseException):
    """A run that waits for something that will not come."""


class _Watch:
    """What is seen beside a run: its forks, the descriptors that are new at a fork, who tries to become a program."""

    def __init__(self, number: int, late: float, listens: bool) -> None:
        self.first, self.number, self.late, self.listens = os.getpid(), number, late, listens
        self.copies: list[int] = []
        self.now, self.before = "", _descriptors()
        self.forks, self.here, self.channels, self.collected = 0, 0, set[str](), 0
        sys.addaudithook(self.exec_comes)
        os.register_at_fork(before=self.fork_comes, after_in_child=self.child_is_there)
        signal.signal(signal.SIGALRM, self.too_long)

    def begin(self, name: str) -> None:
        self.now, self.forks, self.here, self.channels = name, 0, 0, set()
        self.collected = _collected()

    def fork_comes(self) -> None:
        self.forks += 1
        new = {fd: link for fd, link in _descriptors().items() if self.before.get(fd) != link}
        self.channels |= {link.partition(":")[0] for link in new.values()}
        if self.listens:
            self.copies += [fcntl.fcntl(int(fd), fcntl.F_DUPFD_CLOEXEC, _FAR) for fd in new if _reads(int(fd))]

    def child_is_there(self) -> None:
        if self.now == "ends-at-once":
            os.kill(os.getpid(), self.number)

    def exec_comes(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "os.exec":
            return
        if os.getpid() == self.first:
            self.here += 1
        elif self.now == "ends-before":
            os.kill(os.getpid(), self.number)
        elif self.listens:
            new = [fd for fd in _descriptors() if fd not in self.before and int(fd) < _FAR]
            _tell({"exec": self.now, "can_write": any(_writes(int(fd)) for fd in new)})
        elif self.now == "late":  # as on a busy machine: the parent has to wait for the word
            time.sleep(self.late)

    def too_long(self, number: int, frame: FrameType | None) -> None:
        new = [int(fd) for fd in _descriptors() if fd not in self.before]
        both_ways = sum(_writes(fd) and _reads(fd) for fd in new)  # of a socket pair the reader's own end is one
        holds = both_ways > 1 or any(not _reads(fd) for fd in new)
        raise Hung("holds" if holds else "waits")

    def unread(self) -> int:
        """Return how many bytes a run has left in its pipe."""
        found = 0
        for fd in self.copies:
            os.set_blocking(fd, False)
            with suppress(BlockingIOError):
                found += len(os.read(fd, 100))
            os.close(fd)
        self.copies.clear()
        return found

    def left(self) -> list[str]:
        """Return what the descriptors lead to that were not there at first."""
        return [link for fd, link in _descriptors().items() if fd not in self.before]


def _collected() -> int:
    """Return a number that grows when a child is waited for, also one that C's fork has made."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt


def _writes(fd: int) -> bool:
    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _reads(fd: int) -> bool:
    return fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY


def _descriptors() -> dict[str, str]:
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the listing's own
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return found


def several(
    run: Callable[[list[str]], object],
    *,
    programs: Sequence[tuple[str, list[str]]],
    files: Mapping[str, tuple[str, int]],
    number: int,
    patience: float,
    late: float,
    beside: bool,
    listens: bool,
) -> dict[str, object]:
    """Run each program, (name, argv); a copy of this process that comes out of run says so and ends.

    ``beside``: the caller has two other children meanwhile, one that has ended and one that runs. ``listens``: what
    a run leaves unread is taken down, and whether its child could write as it came to its exec.
    """
    _make(files)
    others = _Others() if beside else None
    watch = _Watch(number, late, listens)
    for name, argv in programs:
        watch.begin(name)
        if not _try(run, _placed(argv), watch, patience):
            break
    left = others.ends() if others else _child_left()
    return {"me": watch.first, "held": len(watch.before), "left": watch.left(), "child": left}


def _make(files: Mapping[str, tuple[str, int]]) -> None:
    for name, (text, mode) in files.items():
        with open(name, "w") as file:
            file.write(text)
        os.chmod(name, mode)
    os.symlink("/no/such/target", "dangling")
    os.symlink("loop", "loop")
    os.mkdir("folder")
    with open("callers-links", "w") as file:
        file.writelines(f"{os.readlink(f'/proc/self/fd/{fd}')}\n" for fd in (1, 2))


def _placed(argv: list[str]) -> list[str]:
    """Return the words with ``./name`` made the path of a file in the scratch folder, which nobody knows before."""
    return [os.path.abspath(argv[0]) if argv[0].startswith("./") else argv[0], *argv[1:]]


def _try(run: Callable[[list[str]], object], argv: list[str], watch: _Watch, patience: float) -> bool:
    """Call run once; return whether it came back."""
    signal.setitimer(signal.ITIMER_REAL, patience)
    words = said(run, argv)
    signal.setitimer(signal.ITIMER_REAL, 0)
    if os.getpid() != watch.first:
        _tell({"copy": watch.now, "said": words})
        os._exit(_code_of(words))
    seen: dict[str, object] = {"collected": _collected() > watch.collected}
    seen |= {"forks": watch.forks, "here": watch.here, "channels": sorted(watch.channels), "unread": watch.unread()}
    _tell({"name": watch.now, "said": words, **seen})
    return words["kind"] != Hung.__name__


def _tell(line: dict[str, object]) -> None:
    with open(TOLD, "a") as file:
        file.write(json.dumps(line, default=repr) + "\n")


def _code_of(words: dict[str, object]) -> int:
    """Return the exit code that Python gives to a process that ends this way."""
    if words["how"] == "returned":
        return 0
    text = str(words["shown"])
    return int(text) & 0xFF if words["kind"] == "SystemExit" and text.isdecimal() else 1


class _Others:
    """Other children of the caller: one has ended and waits to be collected, one goes on until it is let go."""

    def __init__(self) -> None:
        self.reading, self.writing = high_pipe()
        self.ended = os.fork()
        if self.ended == 0:
            os._exit(ENDED)
        self.busy = os.fork()
        if self.busy == 0:
            os.close(self.writing)
            os.read(self.reading, 1)
            os._exit(BUSY)
        os.waitid(os.P_PID, self.ended, os.WEXITED | os.WNOWAIT)

    def ends(self) -> str:
        """Collect both; say in words what has become of them, if something has."""
        os.close(self.writing)
        for pid, code in ((self.ended, ENDED), (self.busy, BUSY)):
            try:
                if os.waitpid(pid, 0)[1] != code << 8:
                    return "ended by somebody"
            except ChildProcessError:
                return "collected"
        return ""


def _child_left() -> str:
    try:
        return "a child that still runs" if os.waitpid(-1, os.WNOHANG) == (0, 0) else "a zombie"
    except ChildProcessError:
        return ""


def inherits(
    run: Callable[[list[str]], object], *, token: str, script: str, words: list[str], patience: float
) -> dict[str, object]:
    """Run one program that writes down its words and its environment; the caller's own is in a file before."""
    watch = _Watch(0, 0, listens=False)
    os.environ["UDOCK_TOKEN"] = token
    with open("callers-environment", "wb") as file:
        file.write(b"".join(b"%b=%b\0" % pair for pair in os.environb.items()))
    _try(run, ["/bin/sh", "-c", script, *words], watch, patience)
    return {}
