"""A lock file whose existence is the lock, under the agreed name."""
# misconception: a lock file is given back when its process dies
# fails: waits

import os
import re
import time

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


def allocate(db):
    while True:
        try:
            os.close(os.open(db + ".lock", os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(0.002)
    try:
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
    finally:
        os.unlink(db + ".lock")
    return made
