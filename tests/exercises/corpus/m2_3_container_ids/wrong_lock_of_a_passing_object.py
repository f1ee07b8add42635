"""The file object that holds the lock has no name, and is closed at once."""

# misconception: the lock belongs to the process
# fails: reads

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
    fcntl.flock(open(db + ".lock", "w"), fcntl.LOCK_EX)
    cid = next_id(db)
    _append(db, cid)
    return cid
