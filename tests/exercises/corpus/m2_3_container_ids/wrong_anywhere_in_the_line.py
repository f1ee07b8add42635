"""A c and digits, wherever they stand."""
# misconception: what looks like an id is one
# fails: junk

import fcntl
import os
import re


def next_id(db):
    try:
        with open(db, "rb") as file:
            numbers = [int(found[1]) for line in file if (found := re.search(rb"c([0-9]+)", line))]
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
    lock = os.open(f"{db}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
        return made
    finally:
        os.close(lock)
