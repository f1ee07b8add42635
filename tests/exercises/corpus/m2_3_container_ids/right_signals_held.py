"""Signals wait while the line is written; rb+ and seek."""

import fcntl
import os
import re
import signal


def next_id(db: str) -> str:
    """The id that follows the highest one in the table."""
    best = 0
    try:
        table = open(db, "rb")
    except FileNotFoundError:
        return "c1"
    with table:
        for line in table:
            if m := re.match(rb"[ \t]*c(?P<n>[0-9]+)[ \t]*[|]", line):
                best = max(best, int(m["n"]))
    return f"c{best + 1}"


def allocate(db: str) -> str:
    """Take the next id: append its record under the lock, and return it."""
    lock = os.open(db + ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Ctrl-C still works while we wait
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGALRM})
        try:  # from here on no Ctrl-C tears our line
            new = next_id(db)
            with open(db, "rb+" if os.path.exists(db) else "wb+") as table:
                end = table.seek(0, os.SEEK_END)
                start = b""
                if end:
                    table.seek(-1, os.SEEK_END)
                    start = {b"\n": b""}.get(table.read(1), b"\n")
                    table.seek(0, os.SEEK_END)
                table.write(start + f"{new}|{os.getpid()}\n".encode("ascii"))
            return new
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    finally:
        os.close(lock)
