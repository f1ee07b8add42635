"""The last record's number, plus one."""
# misconception: the last line holds the highest id
# fails: highest

import fcntl
import os
import re

RECORD = re.compile(rb"\s*c([0-9]+)\s*\|")


def next_id(db):
    last = 0
    try:
        with open(db, "rb") as file:
            for line in file:
                if found := RECORD.match(line):
                    last = int(found[1])
    except FileNotFoundError:
        pass
    return f"c{last + 1}"


def append(db, line):
    with open(db, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line
        file.write(line.encode())


def allocate(db):
    lock = os.open(f"{db}.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = next_id(db)
        append(db, f"{made}|{os.getpid()}\n")
        return made
    finally:
        os.close(lock)
