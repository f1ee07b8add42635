"""Any OSError is a missing file."""
# misconception: what cannot be read is not there
# fails: hidden:failing

import fcntl
import os
import re


def _torn(db):
    try:
        with open(db, "rb") as table:
            return table.read()[-1:] not in (b"", b"\n")
    except OSError:
        return False  # no file yet


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    highest = 0
    try:
        with open(db, "rb") as table:
            for line in table:
                found = re.match(rb"[ \t]*c([0-9]+)[ \t]*\|", line)
                if found:
                    highest = max(highest, int(found[1]))
    except OSError:
        pass
    return f"c{highest + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = next_id(db)
        record = f"{new}|{os.getpid()}\n".encode()
        if _torn(db):
            record = b"\n" + record
        with open(db, "ab") as table:
            table.write(record)
        return new
