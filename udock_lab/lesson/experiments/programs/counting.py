"""What the kernel had to send to the disk of a file that is written and deleted: ``lesson.write_and_delete``."""

from __future__ import annotations

import os

CLOSE, FSYNC = "close", "fsync, then close"
WAYS = (CLOSE, FSYNC)
SIZE = 1_000_000  # bytes


def write_and_delete(way: str) -> list[int]:
    """Return how many bytes anybody could read of the file, and how many of them were sent to the disk.

    The second is -1 where the folder is in memory, -2 where this kernel does not count (proc_pid_io(5)).
    """
    before = counters()
    fd = os.open("file", os.O_WRONLY | os.O_CREAT)
    left = bytes(SIZE)
    while left:
        left = left[os.write(fd, left) :]
    if way == FSYNC:
        os.fsync(fd)
    os.close(fd)
    readable = os.stat("file").st_size  # closed, and there for everybody
    os.unlink("file")  # what the disk has not got by now, it never gets
    after = counters()
    if not before or not after:
        return [readable, -2]
    written = after["write_bytes"] - before["write_bytes"]
    thrown_away = after["cancelled_write_bytes"] - before["cancelled_write_bytes"]
    return [readable, written - thrown_away if written else -1]


def counters() -> dict[str, int]:
    """Return the kernel's counters of what this process has read and written."""
    try:
        with open("/proc/self/io") as file:
            lines = [line.split(":") for line in file]
    except OSError:
        return {}
    return {name: int(count) for name, count in lines}
