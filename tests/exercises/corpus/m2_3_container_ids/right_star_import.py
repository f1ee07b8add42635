"""from os import *: write and open are the kernel's own here."""

from os import *
from fcntl import *
from re import findall, M


def _all(db):
    try:
        return open(db, "rb").read()
    except FileNotFoundError:
        return b""


_next = lambda data: "c%d" % (1 + max(map(int, findall(rb"^[ \t]*c([0-9]+)[ \t]*\|", data, M)), default=0))


def next_id(db):
    return _next(_all(db))


def allocate(db):
    import builtins

    with builtins.open(db + ".lock", "ab") as l:
        flock(l, LOCK_EX)
        d = _all2(db)
        i = _next(d)
        with builtins.open(db, "ab") as f:
            f.write((b"\n" if d and d[-1] != 10 else b"") + f"{i}|{getpid()}\n".encode())
        return i


def _all2(db):
    import builtins

    try:
        with builtins.open(db, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


_all = _all2
