"""The record is still in the buffer when the lock is given back."""

# misconception: write puts it in the file
# fails: many

import fcntl, os, re, time, errno


def next_id(db):
    try:
        with open(db, "rb") as f:
            data = f.read()
    except FileNotFoundError:
        data = b""
    top = max([int(m) for m in re.findall(rb"(?m)^[ \t]*c([0-9]+)[ \t]*[|]", data)], default=0)
    return f"c{top + 1}"


def _append(db, cid):
    with open(db, "ab+") as f:
        f.seek(0)
        d = f.read()
        f.write((b"\n" if d and d[-1:] != b"\n" else b"") + f"{cid}|{os.getpid()}\n".encode())


def allocate(db):
    with open(db, "ab") as f:
        with open(db + ".lock", "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            cid = next_id(db)
            torn = os.path.getsize(db) and open(db, "rb").read()[-1:] != b"\n"
            f.write((b"\n" if torn else b"") + f"{cid}|{os.getpid()}\n".encode())
    return cid
