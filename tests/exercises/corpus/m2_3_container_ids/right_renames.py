"""A new table, renamed over the old one, under a lock on a file that stays."""

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
    with open(f"{db}.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = next_id(db)
        try:
            with open(db, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            text = b""
        if text and text[-1:] != b"\n":
            text += b"\n"
        with open(db + ".new", "wb") as file:
            file.write(text + f"{made}|{os.getpid()}\n".encode())
        os.replace(db + ".new", db)
        return made
