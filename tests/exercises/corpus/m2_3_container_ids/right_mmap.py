"""The file grows first; the record is written through a mapping."""

import fcntl, mmap, os, re


def next_id(db):
    try:
        f = open(db, "rb")
    except FileNotFoundError:
        return "c1"
    with f:
        return "c" + str(
            1 + max((int(l.split(b"|")[0].strip()[1:]) for l in f if re.match(rb"[ \t]*c[0-9]+[ \t]*\|", l)), default=0)
        )


def allocate(db):
    with open(db + ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        name = next_id(db)
        with open(db, "a+b", 0) as t:
            t.seek(0)
            old = t.read()
            new = old + (b"\n" if old[-1:] not in (b"", b"\n") else b"") + f"{name}|{os.getpid()}\n".encode()
        with open(db, "r+b", 0) as t:
            os.posix_fallocate(t.fileno(), 0, len(new))
            with mmap.mmap(t.fileno(), len(new)) as m:
                m[len(old) :] = new[len(old) :]
        return name
