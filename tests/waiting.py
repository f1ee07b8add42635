"""Wait for what is about to be true, however busy the machine."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from udock_lab.linux.process import state

T = TypeVar("T")

__all__ = ["has_open", "has_taken", "in_a_loop", "sleeps", "until", "watches"]


def in_a_loop(program: Coroutine[Any, Any, T]) -> T:
    """What it returns, in an event loop of its own: in the main thread playwright's goes on after a browser's tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, program).result()


def until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether it came to be true within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return bool(condition())


def sleeps(pid: int) -> bool:
    """Whether a process's first thread waits for something: not for its turn, and not for Python's lock (a futex)."""
    with suppress(OSError):
        return state(pid) == "S" and "futex" not in Path(f"/proc/{pid}/wchan").read_text()
    return False


def has_taken(pid: int, number: int) -> bool:
    """Whether a process has dealt with a signal and waits again, or is gone.

    Signals that come together are one (signal(7)): who sends another waits for this first.
    """
    with suppress(OSError):
        status = Path(f"/proc/{pid}/status").read_text()
        pending = [int(mask, 16) for mask in re.findall(r"^(?:SigPnd|ShdPnd):\s+(\w+)", status, re.M)]
        if any(mask >> (number - 1) & 1 for mask in pending):
            return False
        return sleeps(pid) or state(pid) in (None, "Z")
    return state(pid) in (None, "Z")


def watches(pid: int, other: int) -> bool:
    """Whether a process sleeps and has a pidfd of the other one, whose end it waits for (pidfd_open(2))."""
    with suppress(OSError):
        held = [path.read_text() for path in Path(f"/proc/{pid}/fdinfo").iterdir()]
        return sleeps(pid) and any(f"\nPid:\t{other}\n" in facts for facts in held)
    return False


def has_open(pid: int, path: str | Path) -> bool:
    """Whether a process has this file open."""
    with suppress(OSError):
        return any(os.path.samefile(link, path) for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists())
    return False
