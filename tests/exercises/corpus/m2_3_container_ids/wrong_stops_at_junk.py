"""The first line that is no record ends the search."""
# misconception: the first bad line ends the search
# fails: junk

import fcntl
import os
import re


def next_id(db):
    top = 0
    if os.path.exists(db):
        with open(db, "rb") as file:
            for line in file:
                found = re.match(rb"\s*c([0-9]+)\s*\|", line)
                if not found:
                    break
                top = max(top, int(found[1]))
    return f"c{top + 1}"


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
