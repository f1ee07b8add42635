"""As few lines as possible."""

import fcntl
import os
import re


def _read(db):
    try:
        with open(db, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def _next(data):
    return "c%d" % (max([0, *map(int, re.findall(rb"(?m)^[ \t]*c([0-9]+)[ \t]*\|", data))]) + 1)


def next_id(db: str) -> str:
    return _next(_read(db))


def allocate(db: str) -> str:
    with open(db + ".lock", "w") as lock, fcntl.flock(lock, fcntl.LOCK_EX) or open(db, "ab") as f:
        f.write(
            b"\n"[: (data := _read(db))[-1:] not in (b"", b"\n")] + f"{(new := _next(data))}|{os.getpid()}\n".encode()
        )
        return new
