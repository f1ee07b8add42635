"""The lock's file is kept in a list."""
# misconception: the kernel knows when a lock is not needed any more
# fails: releases

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


held = []


def allocate(db):
    held.append(open(db + ".lock", "a"))
    fcntl.flock(held[-1], fcntl.LOCK_EX)
    made = next_id(db)
    append(db, f"{made}|{os.getpid()}\n")
    return made
