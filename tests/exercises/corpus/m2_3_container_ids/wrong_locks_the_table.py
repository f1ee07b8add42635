"""The lock is on the table, and nobody else looks there."""
# misconception: any lock protects the file it is on
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
        table.write(f"{made}|{os.getpid()}\n".encode())
    return made
