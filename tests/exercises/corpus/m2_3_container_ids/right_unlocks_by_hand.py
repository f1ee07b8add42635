"""LOCK_UN in a finally, and the holder's pid in the lock file."""

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


def append(db, line):
    with open(db, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())


def allocate(db):
    lock = open(db + ".lock", "r+" if os.path.exists(db + ".lock") else "a")
    fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
    try:
        lock.truncate(0)
        lock.write(str(os.getpid()))
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
    finally:
        lock.flush()
        fcntl.flock(lock.fileno(), fcntl.LOCK_UN)
        lock.close()
    return made
