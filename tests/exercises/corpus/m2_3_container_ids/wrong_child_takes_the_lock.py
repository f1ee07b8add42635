"""A child takes the lock and ends."""

# misconception: a lock outlives the process that took it
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
    pid = os.fork()
    if pid == 0:
        lock = open(db + ".lock", "a")
        fcntl.flock(lock, fcntl.LOCK_EX)
        os._exit(0)
    os.waitpid(pid, 0)
    cid = next_id(db)
    _append(db, cid)
    return cid
