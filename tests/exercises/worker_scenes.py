"""Scenes with workers, for test_workers.py."""

from __future__ import annotations

import builtins
import ctypes
import os
from collections.abc import Callable
from typing import Any

from udock_lab.grading.inside import said
from udock_lab.grading.locks import Lease, put
from udock_lab.grading.workers import Functions, Gate, Questions, Tell, Workers

Load = Callable[[], Functions]


def who_loads(load: Load) -> dict[str, Any]:
    workers = Workers(load)
    one = workers.start(in_loaded)
    workers.finished(one)
    workers.end()
    return {"here": hasattr(builtins, "marker"), "there": one.words.get("done"), "pid": one.pid}


def in_loaded(tell: Tell, functions: Functions) -> None:
    tell(done=[hasattr(builtins, "marker"), said(functions[0], "x")["kind"]])


def seized(load: Load) -> list[str]:
    workers = Workers(load)
    one = workers.start(in_seizing)
    workers.finished(one)
    workers.end()
    return one.words.get("done", ["it said nothing"])


def in_seizing(tell: Tell, functions: Functions) -> None:
    """Try whether the referee can be traced, or its memory opened."""
    above, got = os.getppid(), []
    if ctypes.CDLL(None).ptrace(16, above, 0, 0) == 0:  # PTRACE_ATTACH
        got.append("traced")
    for name in ("mem", "environ", "maps"):
        try:
            with open(f"/proc/{above}/{name}", "rb") as file:
                got.append(f"{name} {len(file.read(1))}")
        except OSError:
            pass
    tell(done=got)


def foreign_words(load: Load) -> dict[str, Any]:
    workers = Workers(load)
    gate = Gate()
    one, other = workers.start(in_speaking, gate), workers.start(in_waiting, gate)
    workers.finished(one)
    words = {"one": dict(one.words), "other": dict(other.words)}
    gate.open()
    workers.finished(other)
    workers.end()
    return {**words, "pids": [one.pid, other.pid], "left": [worker.gone for worker in (one, other)]}


def in_speaking(tell: Tell, functions: Functions, gate: Gate) -> None:
    tell(pid=os.getpid() + 1, done="mine")


def in_waiting(tell: Tell, functions: Functions, gate: Gate) -> None:
    gate.wait()
    tell(done="its own")


def stopped(load: Load) -> dict[str, Any]:
    workers = Workers(load)
    put("table", "c1|1\n")
    one = workers.start(in_opening)
    lease = Lease("table")
    came = workers.finished(one, seconds=0.3)
    seen = {"given": lease.given, "came": came, "stops": lease.stops()}
    lease.let_on()
    seen["after"] = workers.finished(one)
    workers.end()
    return seen


def in_opening(tell: Tell, functions: Functions) -> None:
    import time

    time.sleep(0.05)  # the lease is there
    with open("table") as table:
        tell(done=table.read())


def questions(load: Load) -> dict[str, Any]:
    workers = Workers(load)
    mine, others = workers.questions(), workers.questions()
    one, other = workers.start(in_answering, mine), workers.start(in_stealing, others)
    others.ask("for another")
    mine.ask(b"\xff\n", "text \udcff")
    mine.ask(0)
    workers.finished(one, other)
    workers.end()
    return {"heard": one.words.get("heards"), "stolen": other.words.get("done"), "status": one.status}


def in_answering(tell: Tell, functions: Functions, mine: Questions) -> None:
    first, second = mine.next(), mine.next()
    tell(heards=[type(word).__name__ for word in first])
    tell(heards=first)
    tell(heards=second)
    tell(done=True)


def in_stealing(tell: Tell, functions: Functions, own: Questions) -> None:
    """Look for sockets that are open here: the one that is told to, and the one that is heard."""
    sockets = [fd for fd in os.listdir("/proc/self/fd") if _is_socket(fd)]
    tell(done=[own.next(), len(sockets)])


def _is_socket(fd: str) -> bool:
    try:
        return int(fd) >= 300 and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
    except FileNotFoundError:
        return False
