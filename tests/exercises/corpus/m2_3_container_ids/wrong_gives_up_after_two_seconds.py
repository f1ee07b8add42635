"""It asks for two seconds, then it raises."""
# misconception: nobody holds a lock for long
# fails: waits

import fcntl
import os
import re
import time


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
        for attempt in range(200):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.01)
        else:
            raise TimeoutError(f"{db}.lock is held by somebody else")
        new = next_id(db)
        record = f"{new}|{os.getpid()}\n".encode()
        with open(db, "ab+") as table:
            if table.tell() > 0:
                table.seek(-1, os.SEEK_END)
                if table.read(1) != b"\n":
                    record = b"\n" + record
            table.write(record)
        return new
