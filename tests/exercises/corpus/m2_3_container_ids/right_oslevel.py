"""System calls and a parser without regular expressions; the lock file is opened for reading."""

import fcntl
import os
import re


def _slurp(fd):
    pieces = []
    while True:
        piece = os.read(fd, 7919)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def _number(line):
    """The number of a record, or None; no regular expression."""
    head, bar, _ = line.partition(b"|")
    if not bar:
        return None
    head = head.strip(b" \t")
    if len(head) < 2 or head[0] != ord("c"):
        return None
    number = 0
    for byte in head[1:]:
        if not 48 <= byte <= 57:
            return None
        number = number * 10 + byte - 48
    return number


def _highest(data):
    highest = 0
    for line in data.split(b"\n"):
        number = _number(line)
        if number is not None and number > highest:
            highest = number
    return highest


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    try:
        fd = os.open(db, os.O_RDONLY)
    except FileNotFoundError:
        return "c1"
    try:
        return "c%d" % (_highest(_slurp(fd)) + 1)
    finally:
        os.close(fd)


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    lock = os.open(db + ".lock", os.O_RDONLY | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fd = os.open(db, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            data = _slurp(fd)
            new = "c%d" % (_highest(data) + 1)
            rest = b"%s%s|%d\n" % (b"" if not data or data.endswith(b"\n") else b"\n", new.encode(), os.getpid())
            while rest:
                rest = rest[os.write(fd, rest) :]
        finally:
            os.close(fd)
    finally:
        os.close(lock)  # the last descriptor: the lock is free
    return new
