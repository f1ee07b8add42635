"""Scenes with workers, for test_workers.py."""

from __future__ import annotations

import builtins
import ctypes
import os
from collections.abc import Callable
from typing import Any

from udock_lab.grading.inside import said
from udock_lab.grading.locks import Lease, put
from udock_lab.grading.workers import Functions, Gate, Tell, Workers

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
