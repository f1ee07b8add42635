"""A thread takes the lock; flock belongs to the open file, not to the thread."""

import fcntl, os, re, threading
from concurrent.futures import ThreadPoolExecutor


def next_id(db):
    n = 0
    try:
        with open(db, "rb") as f:
            while line := f.readline():
                if (m := re.match(rb"[ \t]*c(\d+)[ \t]*\|", line)) and int(m[1]) > n:
                    n = int(m[1])
    except FileNotFoundError:
        pass
    return f"c{n + 1}"


def allocate(db):
    fd = os.open(db + ".lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        t = threading.Thread(target=fcntl.flock, args=(fd, fcntl.LOCK_EX))
        t.start()
        t.join()
        new = next_id(db)
        with open(db, "a+b") as f:
            f.seek(0)
            body = f.read()
            f.write((b"\n" if body[-1:] not in b"\n" else b"") + f"{new}|{os.getpid()}\n".encode())
        return new
    finally:
        os.close(fd)
