"""Lines without a | are left out when it writes."""
# misconception: a damaged line is of no use
# fails: appends

import fcntl
import os
import re

RECORD = re.compile(rb"[ \t]*c([0-9]+)[ \t]*\|")


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    highest = 0
    try:
        with open(db, "rb") as table:
            for line in table:
                found = RECORD.match(line)
                if found:
                    highest = max(highest, int(found[1]))
    except FileNotFoundError:
        pass
    return f"c{highest + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        container = next_id(db)
        if os.path.exists(db):
            lines = open(db, "rb").readlines()
            open(db, "wb").writelines(line for line in lines if b"|" in line)
        with open(db, "ab+") as table:
            record = f"{container}|{os.getpid()}\n".encode()
            if table.seek(0, os.SEEK_END) > 0:
                table.seek(-1, os.SEEK_END)
                if table.read(1) != b"\n":
                    record = b"\n" + record
            table.write(record)
        return container
