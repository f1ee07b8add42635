"""The part of the benchmark that runs inside a Jupyter kernel, in a cell that lasts as long as the benchmark.

One request per line (a JSON list: what, arguments...), one JSON answer per line: a number, or the text of
what went wrong. Times are nanoseconds, taken here, so that the conversation is not counted.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import time
from collections.abc import Callable

from IPython import get_ipython

from udock_lab import Runtime

__all__ = ["serve"]

_TRUE = ["/bin/true"]
_runtimes: dict[str, Runtime] = {}
_heap: list[object] = []


def serve(path: str) -> None:
    """Answer requests on the Unix socket ``path`` until the other side closes it."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        with sock.makefile("rw") as conversation:
            for line in conversation:
                what, *arguments = json.loads(line)
                try:
                    answer: int | str = _REQUESTS[what](*arguments)
                except Exception as error:  # whatever it is, the other side reports it
                    answer = f"{type(error).__name__}: {error}"
                conversation.write(json.dumps(answer) + "\n")
                conversation.flush()


def _runtime(home: str) -> Runtime:
    if home not in _runtimes:
        _runtimes[home] = Runtime(home)
    return _runtimes[home]


def run(home: str, count: int = 1) -> int:
    """``Runtime.run`` to its end, ``count`` times one after another."""
    runtime = _runtime(home)
    codes = []
    started = time.perf_counter_ns()
    for _ in range(count):
        codes.append(runtime.run("demo", _TRUE).exit_code)
    elapsed = time.perf_counter_ns() - started
    if any(codes):
        raise RuntimeError(f"/bin/true ended with {codes}")
    return elapsed


def run_after_other_writer(home: str) -> int:
    """The same when the table changed since our last run: nothing remembered of it is valid."""
    os.utime(f"{home}/containers.db")
    return run(home)


def ps(home: str, running: bool) -> int:
    """List all containers, or those that run."""
    runtime = _runtime(home)
    started = time.perf_counter_ns()
    runtime.ps(running=running)
    return time.perf_counter_ns() - started


def cell(source: str, home: str) -> int:
    """A whole cell: parsing, running, history, showing the result."""
    shell = get_ipython()
    os.environ["MDOCK_HOME"] = home
    started = time.perf_counter_ns()
    outcome = shell.run_cell(source, store_history=True)
    elapsed = time.perf_counter_ns() - started
    outcome.raise_error()
    if getattr(outcome.result, "exit_code", 0):
        raise RuntimeError(f"{source} ended with {outcome.result.exit_code}")
    return elapsed


def grow(size: int) -> int:
    """Fill the heap with small objects until the process holds ``size`` bytes more. Returns the growth."""
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * page

    before = resident()
    gc.disable()
    while resident() - before < size:
        start = len(_heap) << 20
        _heap.append([{"id": i, "name": f"row {i}"} for i in range(start, start + 200_000)])
    gc.enable()
    gc.collect()  # the objects become old, as they are in a notebook that has been open for a while
    return resident() - before


def launcher() -> int:
    """Process id of this kernel's launcher."""
    return next(iter(_runtimes.values())).launcher_pid or 0


_REQUESTS: dict[str, Callable[..., int]] = {
    "cell": cell,
    "grow": grow,
    "launcher": launcher,
    "ps": ps,
    "run": run,
    "run_after_other_writer": run_after_other_writer,
}
