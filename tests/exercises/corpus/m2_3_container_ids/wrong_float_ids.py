"""int(float()) for safety."""
# misconception: a number is a number
# fails: junk

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
                word, bar, _ = line.partition(b"|")
                try:
                    if bar and word.strip()[:1] == b"c":
                        highest = max(highest, int(float(word.strip()[1:])))
                except ValueError:
                    pass
    except FileNotFoundError:
        pass
    return f"c{highest + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        container = next_id(db)
        with open(db, "ab+") as table:
            record = f"{container}|{os.getpid()}\n".encode()
            if table.seek(0, os.SEEK_END) > 0:
                table.seek(-1, os.SEEK_END)
                if table.read(1) != b"\n":
                    record = b"\n" + record
            table.write(record)
        return container
