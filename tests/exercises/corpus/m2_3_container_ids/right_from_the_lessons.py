"""From what the lessons show alone: bytes line by line, the lock before the reading, and "ab" to append."""

import os
from fcntl import LOCK_EX, flock


def next_id(db):
    highest = 0
    try:
        with open(db, "rb") as table:
            for line in table:
                name, bar, rest = line.partition(b"|")
                name = name.strip(b" ")
                if bar and name[:1] == b"c" and name[1:].isdigit():
                    highest = max(highest, int(name[1:]))
    except FileNotFoundError:
        pass
    return f"c{highest + 1}"


def allocate(db):
    lock = os.open(f"{db}.lock", os.O_RDWR | os.O_CREAT)
    try:
        flock(lock, LOCK_EX)
        taken = next_id(db)
        record = f"{taken}|{os.getpid()}\n".encode()
        try:
            with open(db, "rb") as table:
                data = table.read()
            if data and not data.endswith(b"\n"):
                record = b"\n" + record
        except FileNotFoundError:
            pass
        with open(db, "ab") as table:
            table.write(record)
        return taken
    finally:
        os.close(lock)
