"""The end of the table is where it was before the lock."""

# misconception: an open file stays as long as it was
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
    fd = os.open(db, os.O_RDWR | os.O_CREAT)
    size = os.fstat(fd).st_size
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cid = next_id(db)
        torn = size and os.pread(fd, 1, size - 1) != b"\n"
        os.pwrite(fd, (b"\n" if torn else b"") + f"{cid}|{os.getpid()}\n".encode(), size)
    os.close(fd)
    return cid
