"""Half a line is cut off."""
# misconception: half a record is rubbish
# fails: hidden:torn

import fcntl
import os
import re


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    highest = 0
    try:
        with open(db, "rb") as table:
            for line in table:
                found = re.match(rb"[ \t]*c([0-9]+)[ \t]*\|", line)
                if found:
                    highest = max(highest, int(found[1]))
    except FileNotFoundError:
        pass
    return f"c{highest + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = next_id(db)
        record = f"{new}|{os.getpid()}\n".encode()
        with open(db, "ab+") as table:
            table.seek(0)
            data = table.read()
            if not data.endswith(b"\n"):
                table.truncate(data.rfind(b"\n") + 1)  # half a record is no record
            table.write(record)
        return new
