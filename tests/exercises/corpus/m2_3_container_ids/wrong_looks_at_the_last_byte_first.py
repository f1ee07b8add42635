"""Whether the last line is torn is found out before the lock is there."""

# misconception: only the number has to be read under the lock
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
    try:
        torn = open(db, "rb").read()[-1:] not in (b"", b"\n")
    except FileNotFoundError:
        torn = False
    with open(db + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cid = next_id(db)
        with open(db, "ab") as f:
            f.write(b"\n" * torn + f"{cid}|{os.getpid()}\n".encode())
    return cid
