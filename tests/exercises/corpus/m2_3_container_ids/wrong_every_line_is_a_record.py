"""Each line is split and its first field converted."""
# misconception: every line has its fields
# fails: junk

import fcntl
import os


def next_id(db):
    top = 0
    if os.path.exists(db):
        with open(db) as file:
            for line in file:
                top = max(top, int(line.split("|")[0].strip()[1:]))
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
