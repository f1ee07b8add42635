"""The table is locked, and another is renamed over it."""
# misconception: locking a file that is then renamed protects it
# fails: waits

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
    with open(db, "ab+") as table:
        fcntl.flock(table, fcntl.LOCK_EX)
        made = next_id(db)
        with open(db, "rb") as file:
            text = file.read()
        with open(f"{db}.new{os.getpid()}", "wb") as file:
            file.write(text + f"{made}|{os.getpid()}\n".encode())
        os.rename(f"{db}.new{os.getpid()}", db)
    return made
