"""The table read and written as text."""
# misconception: text mode keeps line ends
# fails: appends

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
        try:
            with open(db, encoding="latin-1") as table:
                text = table.read()
        except FileNotFoundError:
            text = ""
        if text and not text.endswith("\n"):
            text += "\n"
        with open(db, "w", encoding="latin-1") as table:
            table.write(f"{text}{new}|{os.getpid()}\n")
        return new
