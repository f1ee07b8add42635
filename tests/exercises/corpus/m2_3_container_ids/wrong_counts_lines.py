"""How many lines there are, plus one."""
# misconception: len(records) + 1 is unique
# fails: highest

import fcntl
import os


def next_id(db):
    try:
        with open(db, "rb") as file:
            return f"c{len(file.readlines()) + 1}"
    except FileNotFoundError:
        return "c1"


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
