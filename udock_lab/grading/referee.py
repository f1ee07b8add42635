"""A referee: a scene in an interpreter that never loaded the answer, which looks on while children of its own run it.

Runs inside the sandbox. :meth:`Submission.play` with ``apart=True`` hands such a scene one argument in place of the
learner's functions: ``load``, which gives them, in their order. Only a child calls it, so whatever the answer changes
(os, fcntl, json, builtins, this package), the referee's own copies stay as they are::

    def one_call(load, *, argument):
        child = in_child(lambda: said(load()[0], argument), seconds=4)
        return {"said": child.said, "left": os.listdir(".")}

What a child says is the learner's word. What the referee reads from files, wait statuses and the kernel is evidence.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from contextlib import suppress

from udock_lab.grading.inside import compiled, importable, load
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

__all__ = ["Child", "bounded", "hear", "in_child", "loader", "out_of_reach", "speak", "time_is_up"]

_OUT_OF_TIME = (signal.SIGPROF, signal.SIGALRM)
_WORDS = 1 << 18  # bytes in which a child says what came of it


def loader(
    parts: list[tuple[str, str, bool]], futures: list[str], names: list[str], modules: dict[str, str] | None = None
) -> Callable[[], list[Callable[..., object]]]:
    """Return what loads an answer, in a child, and gives its functions of these names; ``modules`` lay beside it."""
    codes = compiled(parts, futures)
    return lambda: _loaded(codes, names, modules or {})


def _loaded(
    codes: list[tuple[CodeType, bool]], names: list[str], modules: dict[str, str]
) -> list[Callable[..., object]]:
    importable(modules)
    solution: dict[str, object] = {"__name__": "__main__", "__builtins__": __builtins__}
    load(codes, solution)
    for name in names:
        if name not in solution:
            raise NameError(f"name {name!r} is not defined")
    return [solution[name] for name in names]  # type: ignore[misc]


class Child:
    """How a child ended (``status``: its wait status, wait(2)) and what it said (None: nothing that can be read)."""

    def __init__(self, status: int, said: object) -> None:
        self.status = status
        self.said = said


def in_child(act: Callable[[], object], *, seconds: float, before: Callable[[], object] | None = None) -> Child:
    """Run ``act`` in a child and return what came of it; what it returns is said, as plain data.

    ``before`` is done first, in the child, by code that the answer cannot have changed. The child may use so many
    ``seconds`` of a processor, and live four times as long (:func:`time_is_up` knows its status then).
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            bounded(seconds)
            if before is not None:
                before()
            speak(theirs, act())
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        status = os.waitpid(pid, 0)[1]
        return Child(status, hear(ours))


def bounded(seconds: float) -> None:
    """Let the kernel end this process when its time is up; it may be looked at by itself again (out_of_reach)."""
    for number in _OUT_OF_TIME:
        signal.signal(number, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 4 * seconds)
    prctl(PR_SET_DUMPABLE, 1)


def time_is_up(status: int) -> bool:
    """Return whether the kernel ended a child because it went on for too long."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) in _OUT_OF_TIME


def speak(to: socket.socket, words: object) -> None:
    """Say plain data; ``send``, since a write would be one of the calls that are looked at."""
    data = json.dumps(words, default=repr).encode()
    to.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WORDS)
    to.setblocking(False)
    if len(data) < _WORDS // 4:
        with suppress(OSError):
            to.sendall(data)


def hear(ours: socket.socket) -> object:
    """Return what a child that has ended has said; processes that it left may hold the other end."""
    heard = []
    while select.select([ours], [], [], 0)[0] and (data := ours.recv(_WORDS)):
        heard.append(data)
    try:
        return json.loads(b"".join(heard))
    except ValueError:
        return None


def out_of_reach() -> None:
    """Let no child look into this process or trace it, unless it is root of the whole machine (ptrace(2))."""
    prctl(PR_SET_DUMPABLE, 0)
