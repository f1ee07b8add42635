"""What several scenarios need, inside the sandbox and beside the learner's code."""

from __future__ import annotations

import fcntl
import linecache
import os

__all__ = ["high", "high_pipe", "may_chroot", "show_lines"]

_OUT_OF_THE_WAY = 300  # descriptors from here on


def high(fd: int) -> int:
    """Return the same open file under a high number, out of the way of code that closes what it did not open."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
    os.close(fd)
    return moved


def high_pipe() -> tuple[int, int]:
    """Return a pipe's read and write end, likewise."""
    low = os.pipe()
    return high(low[0]), high(low[1])


def may_chroot() -> bool:
    """Try in a child whether chroot is permitted."""
    pid = os.fork()
    if pid == 0:
        try:
            os.chroot("/")
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def show_lines(path: str, source: str) -> None:
    """Let tracebacks show the lines of a source that is in no file here."""
    linecache.cache[path] = (len(source), None, source.splitlines(keepends=True), path)
