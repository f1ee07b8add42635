"""M2.2 in the sandbox: each call of enter in a process of its own, and a referee that asks the kernel where it is.

/proc/PID/root and /proc/PID/cwd, the files that stand for 1 and 2, and the open descriptors are not for the caller's
code to say. All processes are there before it is drawn which of them is refused what; functions that begin with
``in_`` run in them, and the right is taken away before the answer is loaded.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import SystemRandom
from typing import Any

from udock_lab.grading.inside import high, may_chroot, said
from udock_lab.grading.workers import Functions, Load, Questions, Tell, Workers
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.load import crowd
from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl
from udock_lab.linux.seccomp_filters import refuse_chroot

__all__ = ["DESK", "each_in_a_process"]

DESK = "srv"  # where the calls are made from: not where the answer was loaded
AT_ONCE = 8  # calls: each process has its own copy of what the answer imports
SECONDS = 4  # for so many, on a quiet machine
LONGEST = 4096  # bytes of an output that are looked at
CLOSED = ("closed", "shut")
_LOAD = 3600.0  # seconds: a cell that does not end comes to the sandbox's own time limit

Places = Mapping[tuple[int, int], str]
Try = tuple[str, str, int]


def each_in_a_process(
    load: Load, *, rootfs: str, token: str, tries: Sequence[Try]
) -> tuple[bool, list[dict[str, object]]]:
    """Have all calls made, some at once; return whether chroot is permitted here, and what is known of each call.

    A try is a path (absolute where it begins with ``./``), the rights of the caller (empty, ``none``, ``not root``, or
    the errno that each chroot answers) and how often it calls.
    """
    places = _furnish(rootfs, token)
    warnings.simplefilter("always", append=True)  # a warning is shown each time, not once for each line
    gc.freeze()  # what is here needs no second look in each child
    workers = Workers(load)
    files = [(_a_file(), _a_file()) for _ in tries]
    callers = [_Caller(workers, number, files, token, places) for number in range(len(tries))]
    drawn = SystemRandom().sample(callers, len(tries))
    late = False
    try:
        for at in range(0, len(tries), AT_ONCE):
            some = drawn[at : at + AT_ONCE]
            for caller, one in zip(some, tries[at : at + AT_ONCE], strict=True):
                caller.begin(*one)
            workers.until(lambda some=some: _all(caller.has_begun() for caller in some), _LOAD)  # type: ignore[misc]
            for caller in some:
                caller.ask()
            seconds = (1 if late else SECONDS) * crowd(5)
            back = workers.until(lambda some=some: _all(caller.is_over() for caller in some), seconds)  # type: ignore[misc]
            late = late or not back
            for caller in some:
                caller.end()
        workers.end()
        return may_chroot(), [caller.known for caller in drawn]
    except SystemExit:  # the answer can't be loaded: what Python said of it is in one of the files
        sys.stderr.write(max((caller.written(2, 0) for caller in callers), key=len))
        raise
    finally:
        for name in CLOSED:
            os.chmod(name, 0o755)


def _all(states: Any) -> bool:
    """Return whether all hold; each is looked at, since it moves on by that."""
    return all(list(states))


def _furnish(rootfs: str, token: str) -> dict[tuple[int, int], str]:
    """Make the folders that paths lead to, and go where the calls are made from; return the places by inode."""
    os.mkdir(DESK)
    os.chdir(DESK)
    for name in ("etc", "tmp", "a folder", token):
        os.makedirs(f"{rootfs}/{name}")
    os.makedirs("box")
    os.symlink(f"../{rootfs}", "box/a link")  # it starts where it stands (symlink(7))
    os.symlink(os.path.dirname(rootfs), "half way")
    os.symlink(rootfs, "a blank ")
    os.makedirs("closed/inside")
    os.makedirs("shut")
    for name in CLOSED:
        os.chmod(name, 0)
    with open("plain file", "w") as file:
        file.write("no folder")
    named = {"rootfs": rootfs, "/": "/", "where it was": "."}
    return {_id(path): name for name, path in named.items()}


def _a_file() -> int:
    return high(os.memfd_create("written"))


def _id(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


# --- what the referee finds out about a caller


class _Caller:
    """A process that calls enter, from its fork on. ``known``: what is known of it, for attempt.py."""

    def __init__(
        self, workers: Workers, number: int, files: Sequence[tuple[int, int]], token: str, places: Places
    ) -> None:
        self.number, self.token, self.places = number, token, places
        self.files = dict(zip((1, 2), files[number], strict=True))
        self.questions = workers.questions()
        self.one = workers.start(
            in_calling, self.questions, before=lambda: in_preparing(workers.tell, self.questions, number, files)
        )
        self.known: dict[str, object] = {"number": number, "asked": False}
        self.before: dict[str, str] = {}
        self.calls: list[dict[str, object]] = []

    def begin(self, path: str, rights: str, times: int) -> None:
        """Tell it what rights it has; it loads the answer then."""
        self.path = f"{os.getcwd()}/{path[2:]}" if path[:2] == "./" else path
        self.times = times
        self.questions.ask(rights)

    def has_begun(self) -> bool:
        """Return whether the answer is loaded there; or it has ended, or this machine refuses what it needs."""
        words = self.one.words
        if "unprepared" in words and "prepared" not in words:  # after that word the answer may speak, too
            self.known["unprepared"] = str(words["unprepared"])
        return "ready" in words or self.one.gone or "unprepared" in self.known

    def ask(self) -> None:
        """Have it call enter; where and how it is before that is noted."""
        if self.one.gone or "unprepared" in self.known:
            return
        with suppress(OSError):  # it has just ended
            self.before = self._open()
        self._ask()

    def _ask(self) -> None:
        self.start = {fd: os.fstat(file).st_size for fd, file in self.files.items()}
        self.known["asked"] = True
        with suppress(OSError):
            os.kill(self.one.pid, 0)  # attempt.py finds it in the record: numbers are there on every rung
        self.questions.ask("call", self.path)

    def is_over(self) -> bool:
        """Look at what it has come to, and have it go on; return whether there is nothing more to come."""
        words = self.one.words
        if "over" in words or self.one.gone or "unprepared" in self.known:
            return True
        if (told := words.pop("done", None)) is not None:
            stdout, stderr = (self.written(fd, start) for fd, start in self.start.items())
            self.calls.append({"said": told, "stdout": stdout, "stderr": stderr, "late": ""})
            if not stdout and not stderr:  # it may wait in a buffer of the answer's own, on its way to standard error
                self.questions.ask("buffers")
            else:
                self._go_on()
        elif words.pop("flushed", False) and self.calls:
            self.calls[-1]["late"] = self.written(2, self.start[2])
            self._go_on()
        return False

    def _go_on(self) -> None:
        if len(self.calls) < self.times:
            self._ask()
            return
        self._look()
        self.questions.ask("over")

    def _look(self) -> None:
        pid = self.one.pid
        root, cwd = (self._where(f"/proc/{pid}/{link}", self.places) for link in ("root", "cwd"))
        users = self._where(f"/proc/{pid}/ns/user", {_id("/proc/self/ns/user"): "ours"})
        self.known |= {"root": root, "cwd": cwd, "users": users}

    def end(self) -> None:
        """Note what is left to see, and end it."""
        words = self.one.words
        if "root" not in self.known:
            self._look()
        self.known["status"] = self.one.status
        if "over" in words and len(self.calls) == self.times:
            left = self._left()
            self.known |= {"calls": self.calls, "left": left, "above": words["over"], "uid": words["prepared"]}
        elif not self.one.gone and "unprepared" not in self.known:
            self.known["late"] = round(SECONDS * crowd(5))
        if not self.one.gone:
            os.kill(self.one.pid, signal.SIGKILL)

    def _left(self) -> list[str]:
        try:
            return [f"{fd} ({place})" for fd, place in self._open().items() if self.before.get(fd) != place]
        except OSError as error:  # a process that is not to be looked into, or has gone
            return [f"not to be seen ({error.strerror})"]

    def written(self, fd: int, start: int) -> str:
        """Return what it has written to 1 or 2 from there on."""
        return os.pread(self.files[fd], LONGEST, start).decode(errors="replace")

    def _open(self) -> dict[str, str]:
        """Return its open descriptors and where they lead."""
        found = {}
        for fd in sorted(os.listdir(f"/proc/{self.one.pid}/fd"), key=int):
            with suppress(FileNotFoundError):  # another thread has closed it
                found[fd] = os.readlink(f"/proc/{self.one.pid}/fd/{fd}")
        return found

    @staticmethod
    def _where(link: str, places: Places) -> str:
        try:
            return places.get(_id(link), "elsewhere")
        except OSError as error:
            return f"not to be seen ({error.strerror})"


# --- in the process that calls


def in_preparing(tell: Tell, questions: Questions, number: int, files: Sequence[tuple[int, int]]) -> None:
    """Have the rights that are asked for, and write to files of its own; the answer is not loaded yet."""
    (rights,) = questions.next()
    os.chdir("..")
    for fd, file in enumerate(files[number], 1):
        os.dup2(file, fd)
    for pair in files:
        for file in pair:
            os.close(file)
    try:
        _prepare(rights)
    except OSError as error:
        tell(unprepared=str(error))
        questions.next()  # nothing comes: there is no call to be made
    tell(prepared=os.geteuid())


def _prepare(rights: str) -> None:
    if rights == "none":
        drop_capabilities()
    elif rights == "not root" and not os.geteuid():  # nobody in a namespace below, with every capability there:
        unshare(CLONE_NEWUSER)  # a user id that is not mapped reads as 65534 (user_namespaces(7))
        prctl(PR_SET_DUMPABLE, 1)  # else our parent may not look into our /proc
    elif rights.isdigit():
        refuse_chroot(int(rights))


def in_calling(tell: Tell, functions: Functions, questions: Questions) -> None:
    """Call enter as often as it is asked for."""
    os.chdir(DESK)
    me, here, again = os.getpid(), os.getcwd(), False
    tell(ready=True)
    while (order := questions.next())[0] != "over":
        if order[0] == "buffers":
            _flush([one for one in gc.get_objects() if isinstance(one, io.TextIOWrapper | io.BufferedWriter)])
            tell(flushed=True)
            continue
        if again:
            with suppress(OSError):  # a root that it was not to have: the working directory tells
                os.chdir(here)
        again, told = True, said(functions[0], order[1])
        if os.getpid() != me:
            os._exit(0)  # a child of enter's that has come out of it
        _flush([sys.stdout, sys.stderr])  # a line without its end waits there
        tell(done=told)
    gc.collect()  # a file that nobody can reach any more is closed by that
    tell(over=_above())


def _flush(streams: Sequence[Any]) -> None:
    for one in streams:
        with suppress(OSError, ValueError):
            one.flush()


def _above() -> list[str]:
    """Return what a process without any right sees above its working directory."""
    try:
        drop_capabilities()
        return sorted(os.listdir("../.."))[:40]
    except OSError as error:
        return [str(error)]
