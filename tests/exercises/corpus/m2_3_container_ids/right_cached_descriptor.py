"""The lock file stays open, by process and file."""

import fcntl
import os
import re

_locks = {}  # path of a lock file -> (pid that opened it, descriptor)


def _lock_file(path):
    """One open file per process and lock file: a forked child opens its own."""
    path = os.path.abspath(path)
    owner, fd = _locks.get(path, (None, None))
    if fd is not None:
        try:
            fresh = owner == os.getpid() and os.path.samestat(os.fstat(fd), os.stat(path))
        except FileNotFoundError:
            fresh = False
        if fresh:
            return fd
        del _locks[path]
        os.close(fd)  # closes our copy only; the parent's lock is the parent's
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    _locks[path] = os.getpid(), fd
    return fd


def _read(db):
    try:
        with open(db, "rb") as table:
            return table.read()
    except FileNotFoundError:
        return b""


def _highest(data):
    return max((int(n) for n in re.findall(rb"(?:\A|(?<=\n))[ \t]*c([0-9]+)[ \t]*\|", data)), default=0)


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    return f"c{_highest(_read(db)) + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    lock = _lock_file(db + ".lock")
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        data = _read(db)
        number = _highest(data) + 1
        with open(db, "ab") as table:
            table.write(b"\n" * (data[-1:] not in (b"", b"\n")) + b"c%d|%d\n" % (number, os.getpid()))
        return f"c{number}"
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
