"""All paths start at a descriptor of the folder; the lock is held by a copy of its descriptor."""

import fcntl, os, re


def next_id(db, *, dir_fd=None):
    try:
        fd = os.open(db, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=dir_fd)
    except FileNotFoundError:
        return "c1"
    with open(fd, "rb") as f:
        top = max([int(m) for m in re.findall(rb"(?m)^[ \t]*c([0-9]+)[ \t]*[|]", f.read())], default=0)
        return f"c{top + 1}"


def allocate(db):
    folder, name = os.path.split(os.path.abspath(db))
    where = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    lock = None
    try:
        first = os.open(name + ".lock", os.O_RDWR | os.O_CREAT, 0o640, dir_fd=where)
        lock = os.dup(first)
        os.close(first)
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = next_id(name, dir_fd=where)
        fd = os.open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640, dir_fd=where)
        with os.fdopen(fd, "rb+", buffering=0) as f:
            data = f.readall()
            f.write(b"\n"[: bool(data) and not data.endswith(b"\n")] + f"{new}|{os.getpid()}\n".encode())
        return new
    finally:
        if lock is not None:
            os.close(lock)
        os.close(where)
