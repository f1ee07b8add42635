"""The table is opened once, under the lock, for reading and appending."""

import fcntl
import os
import re

RECORD = re.compile(rb"\s*c([0-9]+)\s*\|")


def highest(lines):
    return max((int(found[1]) for line in lines if (found := RECORD.match(line))), default=0)


def next_id(db):
    try:
        with open(db, "rb") as file:
            return f"c{highest(file) + 1}"
    except FileNotFoundError:
        return "c1"


def allocate(db):
    with open(db + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(db, "ab+") as table:
            table.seek(0)
            text = table.read()
            made = f"c{highest(text.splitlines()) + 1}"
            torn = b"\n" if text and not text.endswith(b"\n") else b""
            table.write(torn + f"{made}|{os.getpid()}\n".encode())
        return made
