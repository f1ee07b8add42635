"""The table is opened before the lock is there, and read when it is."""

import fcntl, os, re


def _top(data):
    return max([0, *(int(n) for n in re.findall(rb"^[ \t]*c([0-9]+)[ \t]*\|", data, re.MULTILINE))])


def next_id(db):
    try:
        with open(db, "rb") as f:
            return f"c{_top(f.read()) + 1}"
    except FileNotFoundError:
        return "c1"


def allocate(db):
    with open(db, "ab+") as f, open(db + ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        f.seek(0)
        data = f.read()
        new = f"c{_top(data) + 1}"
        f.write((b"" if data[-1:] in (b"", b"\n") else b"\n") + f"{new}|{os.getpid()}\n".encode())
        f.flush()
        return new
