"""``log.txt``: one line an event, ``[time] EVENT key=value ...``, appended in one write."""

from __future__ import annotations

import errno
import os

from udock_lab.runtime.containers import now
from udock_lab.runtime.home import Home

__all__ = ["write_event"]

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%=~")


def write_event(home: Home, event: str, **fields: object) -> None:
    """Append one event: BUILD, RUN, EXEC_FAIL, EXIT, STOP, KILL, RM or RMI.

    Values with blanks, quotes or control characters are quoted, so that a line stays one line. OSError where
    it cannot be written; a write cut short by a full disk is taken back, unless somebody has appended since.
    """
    words = " ".join(f"{key}={_quoted(str(value))}" for key, value in fields.items())
    line = f"[{now()}] {event} {words}\n".encode("utf-8", "surrogateescape")
    # O_NONBLOCK: a pipe in the log's place must not make everybody wait for its reader (open(2)).
    fd = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    try:
        written = os.write(fd, line)
        if written != len(line):
            end = os.lseek(fd, 0, os.SEEK_CUR)
            if os.fstat(fd).st_size == end:
                os.ftruncate(fd, end - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), home.log)
    finally:
        os.close(fd)


def _quoted(value: str) -> str:
    if value and _PLAIN.issuperset(value):
        return value
    return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
