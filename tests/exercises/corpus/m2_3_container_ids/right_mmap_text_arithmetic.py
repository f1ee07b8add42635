"""mmap; one is added to the digits as text."""

import fcntl
import mmap
import os
import re


def _plus_one(digits: str) -> str:
    """Adds one by hand, so that a number of 5000 digits is no trouble for int()."""
    nines = len(digits) - len(digits.rstrip("9"))
    head = digits[: len(digits) - nines]
    if not head:
        return "1" + "0" * nines
    return head[:-1] + chr(ord(head[-1]) + 1) + "0" * nines


def _look(fd):
    """(the highest number as text, does the last line lack its newline?)"""
    if os.fstat(fd).st_size == 0:
        return "0", False
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as view:
        numbers = (
            (found[1].lstrip(b"0") or b"0").decode() for found in re.finditer(rb"(?m)^[\t ]*c([0-9]+)[\t ]*\|", view)
        )
        return max(numbers, key=lambda n: (len(n), n), default="0"), view[-1] != 10


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    try:
        fd = os.open(db, os.O_RDONLY)
    except FileNotFoundError:
        return "c1"
    try:
        return "c" + _plus_one(_look(fd)[0])
    finally:
        os.close(fd)


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        with open(db, "a+b", buffering=0) as table:
            highest, torn = _look(table.fileno())
            new = "c" + _plus_one(highest)
            todo = memoryview(b"\n"[:torn] + f"{new}|{os.getpid()}\n".encode())
            while todo:
                todo = todo[table.write(todo) :]
        return new
