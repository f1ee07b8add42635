"""close() at the end and not in a finally: the error keeps the frame, the frame the file, the file the lock."""

# misconception: a file object is closed when the function ends, however it ends
# fails: hidden:failing

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
    lock = open(db + ".lock", "a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    cid = next_id(db)
    _append(db, cid)
    lock.close()
    return cid
