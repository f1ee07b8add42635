"""The blank class of re, with re.MULTILINE."""
# misconception: \s stays within a line
# fails: junk

import fcntl
import os
import re


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    try:
        with open(db, "rb") as table:
            data = table.read()
    except FileNotFoundError:
        return "c1"
    numbers = re.findall(rb"^\s*c([0-9]+)\s*\|", data, re.MULTILINE)
    return f"c{max(map(int, numbers), default=0) + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = next_id(db)
        record = f"{new}|{os.getpid()}\n".encode()
        with open(db, "ab+") as table:
            if table.tell() > 0:
                table.seek(-1, os.SEEK_END)
                if table.read(1) != b"\n":
                    record = b"\n" + record
            table.write(record)
        return new
