"""The lock file is opened by a function that remembers its answer."""
# misconception: a descriptor that was inherited is one of one's own
# fails: many

import fcntl
import functools
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


@functools.cache
def lock_of(db):
    return open(db + ".lock", "a")


def allocate(db):
    fcntl.flock(lock_of(db), fcntl.LOCK_EX)
    try:
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
    finally:
        fcntl.flock(lock_of(db), fcntl.LOCK_UN)
    return made
