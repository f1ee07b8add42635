"""The table is read before the lock and written whole behind it."""
# misconception: what was read stays true while one waits
# fails: reads

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
    with open(db, "ab+") as table, open(db + ".lock", "a") as lock:
        table.seek(0)
        numbers = [int(found[1]) for line in table if (found := RECORD.match(line))]
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = f"c{max(numbers, default=0) + 1}"
        table.write(f"{made}|{os.getpid()}\n".encode())
    return made
