"""LOCK_NB in a loop with a random sleep, without end."""

import errno
import fcntl
import os
import random
import re
import time


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    try:
        with open(db, "rb") as table:
            lines = table.read().split(b"\n")
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        lines = []
    highest = 0
    for line in lines:
        fields = line.split(b"|")
        if len(fields) < 2:
            continue
        name = fields[0].strip(b" \t")
        if name[:1] == b"c" and name[1:].isdigit():  # bytes.isdigit: 0 to 9 and nothing else
            highest = max(highest, int(name[1:]))
    return f"c{highest + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    with open(db + ".lock", "a") as lock:
        while True:  # ask until it is ours, however long that takes
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(random.uniform(0.001, 0.01))
        new = next_id(db)
        with open(db, "ab+") as table:
            end = table.tell()
            separator = b""
            if end:
                table.seek(end - 1)
                separator = b"" if table.read(1) == b"\n" else b"\n"
            table.write(separator + f"{new}|{os.getpid()}\n".encode())
        return new
