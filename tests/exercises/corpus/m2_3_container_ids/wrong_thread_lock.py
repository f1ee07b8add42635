"""A lock among the threads of one process."""
# misconception: a lock in memory is seen by other processes
# fails: waits

import os
import re
import threading

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


GUARD = threading.Lock()


def allocate(db):
    with GUARD:
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
    return made
