"""``log.txt``: one line an event, ``[time] EVENT key=value ...``, appended in one write."""

from __future__ import annotations

import errno
import os
import re

from udock_lab.linux.ownership import adopt
from udock_lab.runtime.state.containers import now
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.tables import open_plain, take_over

__all__ = ["last_exit", "write_event"]

_EXIT = rb"^\[([^\]\n]+)\] EXIT id=%s pid=\d+ code=(\d+) status=(\w+)$"
_NEWEST = 1 << 18  # bytes
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%=~")


def write_event(home: Home, event: str, **fields: object) -> None:
    """Append one event: BUILD, RUN, EXEC_FAIL, EXIT, STOP, KILL, RM or RMI.

    Values with blanks, quotes or control characters are quoted, so that a line stays one line. OSError where
    it cannot be written; a write cut short by a full disk is taken back, unless somebody has appended since.
    """
    words = " ".join(f"{key}={_quoted(str(value))}" for key, value in fields.items())
    line = f"[{now()}] {event} {words}\n".encode("utf-8", "surrogateescape")
    # O_NONBLOCK: a pipe in the log's place must not make everybody wait for its reader (open(2)).
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(home.log, flags, 0o644)
    except PermissionError:
        if not take_over(home.log):
            raise
        fd = os.open(home.log, flags, 0o644)
    try:
        if not os.fstat(fd).st_size:
            adopt(home.log, fd)
        written = os.write(fd, line)
        if written != len(line):
            end = os.lseek(fd, 0, os.SEEK_CUR)
            if os.fstat(fd).st_size == end:
                os.ftruncate(fd, end - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), home.log)
    finally:
        os.close(fd)


def last_exit(home: Home, container_id: str) -> tuple[str, int, str] | None:
    """Return how a container ended that has no record any more: (time, exit code, status), or None.

    Only the newest events are searched: whoever asks has seen it alive a moment ago.
    """
    try:
        with open(open_plain(home.log), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _NEWEST))
            newest = file.read()
    except OSError:
        return None
    found = re.findall(_EXIT % container_id.encode(), newest, re.MULTILINE)
    return (found[-1][0].decode(), int(found[-1][1]), found[-1][2].decode()) if found else None


def _quoted(value: str) -> str:
    if value and _PLAIN.issuperset(value):
        return value
    return '"' + value.encode("unicode_escape").decode().replace('"', '\\"') + '"'
