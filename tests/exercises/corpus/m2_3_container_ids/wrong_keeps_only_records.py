"""The table is written anew from its records."""
# misconception: what the program does not understand is not needed
# fails: appends

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
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = next_id(db)
        lines = []
        if os.path.exists(db):
            with open(db, "rb") as file:
                lines = [line for line in file if RECORD.match(line)]
        with open(db, "wb") as file:
            file.writelines([*lines, f"{made}|{os.getpid()}\n".encode()])
    return made
