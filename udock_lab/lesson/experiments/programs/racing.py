"""Many processes take one id each, at once: what ``lesson.race`` runs."""

from __future__ import annotations

import os
import time
from fcntl import LOCK_EX, flock

BEFORE, AFTER, INHERITED = "lock before reading", "lock after reading", "lock opened before fork"
NO_LOCK, ITSELF = "no lock", "lock on the table itself"
WAYS = (NO_LOCK, BEFORE, AFTER, INHERITED, ITSELF)


def race(way: str, processes: int, window: float) -> dict[str, object]:
    """Fork so many processes; return what each took and when, in seconds, and how many lines the table has then.

    ``window`` is the time between reading and writing, in seconds.
    """
    open("table", "w").close()
    lock = os.open("lock", os.O_RDWR | os.O_CREAT)
    said, say = os.pipe()
    for worker in range(processes):
        if os.fork() == 0:
            number, began = renamed(worker, window) if way == ITSELF else appended(way, lock, window)
            os.write(say, f"{number} {began} {time.monotonic()}\n".encode())
            os._exit(0)  # the lock is given back here
    for _ in range(processes):
        os.wait()
    os.close(say)
    with open(said) as lines:
        taken = [(int(number), float(began), float(ended)) for number, began, ended in map(str.split, lines)]
    return {"taken": taken, "kept": len(lines_of("table"))}


def appended(way: str, lock: int, window: float) -> tuple[int, float]:
    """Read the highest id, wait, append the next one; return it, and the time of reading."""
    if way in (BEFORE, AFTER):
        lock = os.open("lock", os.O_RDWR)  # an open file of its own, and so a lock of its own
    if way in (BEFORE, INHERITED):
        flock(lock, LOCK_EX)
    began = time.monotonic()
    highest = max(map(int, lines_of("table")), default=0)
    time.sleep(window)
    if way == AFTER:
        flock(lock, LOCK_EX)
    with open("table", "a") as table:
        table.write(f"{highest + 1}\n")
    return highest + 1, began


def renamed(worker: int, window: float) -> tuple[int, float]:
    """Lock the table, and put a new one with one line more in its place."""
    with open("table") as table:
        flock(table, LOCK_EX)  # on a file that another one may have replaced meanwhile
        began, lines = time.monotonic(), lines_of("table")
        time.sleep(window)
        with open(f"new{worker}", "w") as new:
            new.writelines([*lines, f"{len(lines) + 1}\n"])
        os.rename(f"new{worker}", "table")
    return len(lines) + 1, began


def lines_of(path: str) -> list[str]:
    """Return the lines of a file."""
    with open(path) as file:
        return file.readlines()
