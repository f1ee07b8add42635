"""Workers: processes with the answer in them that live side by side, and a referee that hears and watches them all.

For scenes that are played apart (referee.py)::

    def many(load, *, text):
        put("containers.db", text)
        workers = Workers(load)
        one = workers.start(takes_one, "containers.db")  # in a child: takes_one(workers.tell, functions, ...)
        workers.finished(one)
        workers.end()
        return [one.words.get("done"), content("containers.db")]

What a worker says is the learner's word, though the kernel says whose (unix(7), SO_PASSCRED): none can speak for
another. A child begins with a copy of all that the referee knew, so what it must not know is drawn later, and told
when it is wanted (:class:`Questions`).
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from udock_lab.grading.inside import high, high_pipe
from udock_lab.grading.referee import out_of_reach
from udock_lab.linux.load import crowd
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, prctl
from udock_lab.linux.process import children

__all__ = ["Functions", "Gate", "Load", "Questions", "Tell", "Worker", "Workers"]

Functions = Sequence[Callable[..., object]]
Load = Callable[[], Functions]
Tell = Callable[..., None]

_PATIENCE = 4.0  # seconds, for what takes some milliseconds
_LOOK = 3  # milliseconds between two looks at what no word tells of
_FLOOD = 2000  # words that are read before the next look
_MOST_WORDS = 100  # of one kind, from one process
_END = 2.0  # seconds for killed processes to be gone
_LONGEST = 1 << 16  # bytes of what is said at once
_SHOWN = 1 << 12  # characters of one that is too long
_BYTES = "\0bytes"  # what stands for them in JSON
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid
_OURS = os.path.dirname(__file__)  # not shown in tracebacks


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


class Questions:
    """What one worker is asked, a message at a time; the processes that it forks may take the next one in its place.

    Made by :meth:`Workers.questions`, before that worker is started.
    """

    def __init__(self) -> None:
        asks, hears = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asks, self._hears = (socket.socket(fileno=high(one.detach())) for one in (asks, hears))
        self._asks.setblocking(False)

    def ask(self, *words: object) -> None:
        """Send plain values and bytes; who has ended, or does not listen, has no answer."""
        with suppress(OSError):
            self._asks.send(_packed(words))

    def next(self) -> list[Any]:
        """Wait for the next question, in the worker; one that is over is told nothing more and ends."""
        data = self._hears.recv(_LONGEST)
        if not data:
            os._exit(0)
        words: list[Any] = _unpacked(data)
        return words

    def leave(self, *, own: bool) -> None:
        """Close, in a worker, the end that is not its own; both, if the questions are another's."""
        self._asks.close()
        if not own:
            self._hears.close()


def _cut(word: object) -> object:
    """Return what inside.said told without a value or a text that is far too long."""
    return word | {"plain": [], "shown": str(word.get("shown"))[:_SHOWN]} if isinstance(word, dict) else word


def _packed(words: object) -> bytes:
    return json.dumps(words, default=_in_json, skipkeys=True).encode()


def _in_json(value: object) -> object:
    return {_BYTES: value.decode("latin-1")} if isinstance(value, bytes) else repr(value)


def _unpacked(data: bytes) -> Any:
    return json.loads(data, object_hook=_as_it_was)


def _as_it_was(value: dict[str, Any]) -> object:
    byte_by_byte = value.get(_BYTES)
    return byte_by_byte.encode("latin-1", "replace") if len(value) == 1 and isinstance(byte_by_byte, str) else value


class Worker:
    """A process with the answer in it.

    ``words``: what it has said; ``gone``: whether it has ended, and then ``status`` says how (wait(2)).
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.words: dict[str, Any] = {}
        self.gone = False
        self.status = 0


class Workers:
    """Starts them, hears them, waits for what the kernel shows, ends them. Belongs to the referee."""

    BUSY = 4.0  # times as long as on a quiet machine, at most

    def __init__(self, load: Load) -> None:
        out_of_reach()
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # a lease is broken
        self.load = load
        self.heard, said = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.heard.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)  # the kernel adds who says it
        self.heard.setblocking(False)
        self._said = socket.socket(fileno=high(said.detach()))
        self._life, self._alive = high_pipe()
        self.all: dict[int, Worker] = {}
        self.besides: list[int] = []  # other descriptors on which something may come that is waited for
        self.broken = False
        self._questions: list[Questions] = []

    def questions(self) -> Questions:
        """Return questions for a worker that is started after this, and is given them."""
        self._questions.append(Questions())
        return self._questions[-1]

    def start(self, work: Callable[..., object], *rest: object, before: Callable[[], object] | None = None) -> Worker:
        """Fork a process that loads the answer, calls ``work(tell, functions, *rest)`` and lives on.

        ``tell(key=value)`` says plain values; ``before`` is called before the answer is loaded. Whatever ``work``
        raises ends that process.
        """
        pid = os.fork()
        if pid:
            self.all[pid] = Worker(pid)
            return self.all[pid]
        try:
            self._become_worker(rest)
            if before is not None:
                before()
            functions = self._loaded()
            work(self.tell, functions, *rest)
            self.live()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)

    def _become_worker(self, given: Sequence[object]) -> None:
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        prctl(PR_SET_DUMPABLE, 1)  # its own /proc/self is its own again
        self.heard.close()
        os.close(self._alive)
        for one in self._questions:
            one.leave(own=one in given)

    def _loaded(self) -> Functions:
        try:
            return self.load()
        except BaseException as error:
            shown = error.__traceback__
            while shown is not None and shown.tb_frame.f_code.co_filename.startswith(_OURS):
                shown = shown.tb_next
            traceback.print_exception(type(error), error, shown)
            sys.stderr.flush()
            self.tell(unloaded=True)
            os._exit(1)

    def live(self) -> None:
        """Stay until the end, in a worker or in a process that it has forked."""
        with suppress(BaseException):
            sys.stdout.flush()
        with suppress(OSError):
            os.read(self._life, 1)
        os._exit(0)

    def tell(self, **words: object) -> None:
        """Say it to the referee, from another process: JSON's values and bytes; of others their repr."""
        data = _packed(words)
        if len(data) > _LONGEST:  # whatever was returned is no id, no word and no path
            data = _packed({name: _cut(word) for name, word in words.items()})
        self._said.send(data)

    def until(self, holds: Callable[[], object], seconds: float = 0) -> bool:
        """Wait for it, so many seconds at most; by default the time that no answer needs, however busy the machine.

        SystemExit where the answer could not be loaded: its traceback has been printed.
        """
        deadline = time.monotonic() + (seconds or _PATIENCE * crowd(self.BUSY))
        words = select.poll()
        for fd in (self.heard.fileno(), *self.besides):
            words.register(fd, select.POLLIN)
        while True:
            self.hear()
            if self.broken:
                self.end()
                raise SystemExit(1)
            if holds():
                return True
            if time.monotonic() > deadline:
                return False
            words.poll(_LOOK)

    def finished(self, *ones: Worker, word: str = "done", seconds: float = 0) -> bool:
        """Wait until each has said the word, or has ended without."""
        return self.until(lambda: all(word in one.words or one.gone for one in ones), seconds)

    def hear(self) -> None:
        """Take what has been said, and note who has ended."""
        self.reap()
        for _ in range(_FLOOD):
            try:
                data, added, _, _ = self.heard.recvmsg(2 * _LONGEST, socket.CMSG_SPACE(_CREDENTIALS.size))
            except OSError:  # nothing, for now
                return
            if not added:
                return
            pid = _CREDENTIALS.unpack(added[0][2])[0]
            with suppress(ValueError, RecursionError):
                self._take(_unpacked(data), self.all.setdefault(pid, Worker(pid)))

    def _take(self, words: object, one: Worker) -> None:
        """Keep what it said: of a plural (``locks``) all that came, else what came last."""
        if not isinstance(words, dict):
            return
        self.broken = self.broken or "unloaded" in words
        for name, value in words.items():
            if name.endswith("s"):
                one.words[name] = [*one.words.get(name, []), value][:_MOST_WORDS]
            else:
                one.words[name] = value

    def reap(self) -> None:
        """Wait for those that have ended, and note it."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self.all:
                    self.all[pid].gone, self.all[pid].status = True, status

    def end(self) -> None:
        """End all of them, and those that they have forked."""
        os.close(self._alive)
        for one in self.all.values():
            if not one.gone and not {"done", "lives"} & set(one.words):
                with suppress(OSError):
                    os.kill(one.pid, signal.SIGKILL)
        deadline = time.monotonic() + _END * crowd(self.BUSY)
        with suppress(ChildProcessError):
            while time.monotonic() < deadline:
                if not os.waitpid(-1, os.WNOHANG)[0]:
                    time.sleep(0.001)

    def clear(self) -> None:
        """End whatever runs below this process, whoever has forked it."""
        deadline = time.monotonic() + _END * crowd(self.BUSY)
        while (left := children(os.getpid())) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.reap()
            time.sleep(0.001)
