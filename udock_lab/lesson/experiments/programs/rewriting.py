"""A table is rewritten over and over, and killed or read meanwhile: ``lesson.kill_repeatedly``, ``lesson.read_beside``.

The two tables differ in one word of seven letters, so the length never changes.
"""

from __future__ import annotations

import os
import random
import signal
import time

RENAME, IN_PLACE, TRUNCATE = "rename", "in place", "truncate"
WAYS = (TRUNCATE, IN_PLACE, RENAME)
STATES = ("whole", "empty", "torn")
TABLES = ["".join(f"c{n}|{1000 + n}|demo|{word}|\n" for n in range(3000)) for word in ("stopped", "running")]


def rewrite_for_ever(way: str) -> None:
    """Write the one table and the other, in turns, until somebody kills this process."""
    while True:
        for table in TABLES:
            name = "table.tmp" if way == RENAME else "table"
            with open(name, "r+" if way == IN_PLACE else "w") as file:
                for line in table.splitlines(keepends=True):
                    file.write(line)
            if way == RENAME:
                os.rename("table.tmp", "table")


def look() -> str:
    """Return what the table is at this moment."""
    with open("table") as file:
        found = file.read()
    return "whole" if found in TABLES else "torn" if found else "empty"


def start(way: str) -> int:
    """Put a whole table there and fork a process that rewrites it; return its pid."""
    with open("table", "w") as table:
        table.write(TABLES[1])
    pid = os.fork()
    if pid == 0:
        rewrite_for_ever(way)
    return pid


def kill(pid: int) -> None:
    """Send SIGKILL, which nobody can hold off, and wait for the end."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def kill_repeatedly(way: str, times: int) -> dict[str, int]:
    """Kill a process that rewrites, at a random instant; return how often the table was left in which state."""
    seen = dict.fromkeys(STATES, 0)
    for _ in range(times):
        pid = start(way)
        time.sleep(0.002 + 0.004 * random.random())
        kill(pid)
        seen[look()] += 1
    return seen


def read_beside(way: str, seconds: float) -> dict[str, int]:
    """Read all the time beside a process that rewrites; return how often the table was in which state."""
    seen, pid = dict.fromkeys(STATES, 0), start(way)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen[look()] += 1
    kill(pid)
    return seen
