"""Ids are remembered between calls, and the file is read once."""
# misconception: nobody else changes the file
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


def append(db, line):
    with open(db, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())


known = {}


def allocate(db):
    if db not in known:
        known[db] = int(next_id(db)[1:])
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = f"c{known[db]}"
        known[db] += 1
        append(db, f"{made}|{os.getpid()}\n")
    return made
