"""A lock file opened anew each time, flock before reading, closed on every way out."""

import fcntl
import os
import re

RECORD = re.compile(rb"\s*c([0-9]+)\s*\|")


def next_id(db):
    try:
        with open(db, "rb") as file:
            numbers = [int(found[1]) for line in file if (found := RECORD.match(line))]
    except FileNotFoundError:
        numbers = []
    return f"c{max(numbers, default=0) + 1}"


def allocate(db):
    lock = os.open(f"{db}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = next_id(db)
        with open(db, "ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(f"{made}|{os.getpid()}\n".encode())
        return made
    finally:
        os.close(lock)
