"""The id is printed."""
# misconception: printed is returned
# fails: highest

import fcntl
import os
import re


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    highest = 0
    if os.path.exists(db):
        for line in open(db, "rb"):
            found = re.match(rb" *c([0-9]+) *\|", line)
            if found:
                highest = max(highest, int(found[1]))
    print(f"c{highest + 1}")


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
