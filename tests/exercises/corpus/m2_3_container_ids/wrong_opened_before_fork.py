"""The lock file is opened at the first call and kept."""
# misconception: a lock belongs to the process that calls flock
# fails: many

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


lock = None


def allocate(db):
    global lock
    if lock is None:
        lock = os.open(db + ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
        return made
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
