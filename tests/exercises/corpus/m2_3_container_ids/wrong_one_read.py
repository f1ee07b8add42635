"""One os.read, of 64 KiB."""
# misconception: one read brings all of a file
# fails: highest

import fcntl
import os
import re


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    try:
        fd = os.open(db, os.O_RDONLY)
    except FileNotFoundError:
        return "c1"
    try:
        data = os.read(fd, 65536)
    finally:
        os.close(fd)
    numbers = re.findall(rb"^[ \t]*c([0-9]+)[ \t]*\|", data, re.MULTILINE)
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
