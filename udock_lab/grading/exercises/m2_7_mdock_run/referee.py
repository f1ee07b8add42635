"""The referee of M2.7: it starts runners, hears them, looks on, and ends them. No line of an answer runs in it.

A scene is played apart (grading/referee.py), so the answer is loaded in the runners alone. What a runner says is the
learner's word, though the kernel says whose (unix(7), SO_PASSCRED); files, processes and descriptors the referee looks
at itself.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from udock_lab.grading.exercises.m2_7_mdock_run.stage import patience, take
from udock_lab.grading.inside import high, high_pipe
from udock_lab.grading.referee import out_of_reach
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl

__all__ = ["Functions", "Gate", "Load", "Referee", "Runner", "Tell"]

Tell = Callable[..., None]
Functions = Sequence[Callable[..., object]]
Load = Callable[[], list[Callable[..., object]]]

_PATIENCE = 4.0  # seconds, for what takes some hundredths of one
_LOOK = 3  # milliseconds between two looks at what no word tells of
_END = 1.0  # seconds for killed processes to be gone
_SCM_CREDENTIALS = 2  # linux/socket.h
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_WORD = 1 << 16  # bytes of what is said in one go
_MOST = 500  # words of one kind, from one process


class Gate:
    """Processes wait at it until they are let through; made before they are forked."""

    def __init__(self) -> None:
        self._comes, self._goes = high_pipe()

    def wait(self) -> None:
        """Stand here until somebody opens."""
        os.read(self._comes, 1)

    def open(self, count: int = 1) -> None:
        """Let so many through, also those that come later."""
        os.write(self._goes, b"x" * count)


class Runner:
    """A process with the answer in it. ``words``: what it has said; ``gone``: whether it has ended."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.words: dict[str, Any] = {}
        self.gone = False

    @property
    def outcomes(self) -> list[Any]:
        """What came of its runs: [name, what run returned or raised, forks, what a copy of the runner said]."""
        outcomes: list[Any] = self.words.get("outcomes", [])
        return outcomes

    def came_to(self, number: int) -> bool:
        """Return whether so many of its runs are over, or it is."""
        return self.gone or len(self.outcomes) >= number


class Referee:
    """Starts runners, hears them, waits for what the kernel shows, ends them."""

    def __init__(self, load: Load) -> None:
        out_of_reach()
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        self.load = load
        self.heard, said = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.heard.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # the kernel adds who says it (unix(7))
        said.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * _WORD)
        self._said = socket.socket(fileno=high(said.detach()))
        self._life, self._alive = high_pipe()
        self.all: dict[int, Runner] = {}

    def start(self, work: Callable[..., object], *rest: object) -> Runner:
        """Fork a process that loads the answer, calls ``work(tell, functions, *rest)`` and lives on.

        ``tell(key=value)`` says plain values. Whatever ``work`` raises ends that process.
        """
        pid = os.fork()
        if pid:
            self.all[pid] = Runner(pid)
            return self.all[pid]
        try:
            prctl(PR_SET_DUMPABLE, 1)  # its own /proc/self is its own again
            self.heard.close()
            os.close(self._alive)
            work(self.tell, self._loaded(), *rest)
            os.read(self._life, 1)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def _loaded(self) -> Functions:
        try:
            return self.load()
        except BaseException:
            self.tell(unloaded=traceback.format_exc())
            raise

    def tell(self, **words: object) -> None:
        """Say it to the referee, from another process."""
        self._said.send(json.dumps(words).encode())

    def until(self, holds: Callable[[], object], seconds: float = 0) -> bool:
        """Wait for it, so many seconds at most; by default the time that no answer needs, however busy the machine.

        SystemExit where the answer could not be loaded.
        """
        deadline = time.monotonic() + (seconds or patience(_PATIENCE))
        words = select.poll()
        words.register(self.heard.fileno(), select.POLLIN)
        while True:
            self._reap()
            self._hear()
            if holds():
                return True
            if time.monotonic() > deadline:
                return False
            words.poll(_LOOK)

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            for _ in range(_MOST):
                data, added, _, _ = self.heard.recvmsg(_WORD, socket.CMSG_SPACE(_CREDENTIALS.size), socket.MSG_DONTWAIT)
                if not data:
                    return
                pid = next((_CREDENTIALS.unpack(said)[0] for _, what, said in added if what == _SCM_CREDENTIALS), 0)
                with suppress(ValueError, RecursionError):
                    self._take(json.loads(data), self.all.setdefault(pid, Runner(pid)))

    def _take(self, words: object, one: Runner) -> None:
        """Keep what it said: of outcomes each one, of all else the latest."""
        if not isinstance(words, dict):
            return
        for name, value in words.items():
            if name == "outcomes":
                if len(one.words.setdefault(name, [])) < _MOST and isinstance(value, list) and len(value) == 4:
                    one.words[name].append(value)
            else:
                one.words[name] = value
        if "unloaded" in words:
            self.end()
            raise SystemExit(1)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                if pid in self.all:
                    self.all[pid].gone = True

    def children(self) -> list[int]:
        """Return this process's children: runners, and orphans that came here when their parent ended."""
        return [int(pid) for pid in take(f"/proc/self/task/{os.getpid()}/children").split()]

    def orphans(self) -> list[int]:
        """Return those that are no runners."""
        return [pid for pid in self.children() if pid not in self.all]

    def end(self) -> None:
        """End whatever runs below this process."""
        deadline = time.monotonic() + patience(_END)
        while (left := self.children()) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.001)
