"""A loop while the lock file exists."""
# misconception: a lock file is a lock
# fails: waits

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
    while os.path.exists(db + ".lock"):
        pass
    open(db + ".lock", "w").close()
    new = next_id(db)
    with open(db, "a") as table:
        table.write(f"{new}|{os.getpid()}\n")
    os.remove(db + ".lock")
    return new
