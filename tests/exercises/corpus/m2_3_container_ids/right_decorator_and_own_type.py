"""A decorator takes the lock; the id is text of a class of its own; it logs and prints while it works."""

import contextlib, fcntl, functools, logging, os, re, sys

log = logging.getLogger("ids")
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG)


def locked(function):
    @functools.wraps(function)
    def inside(db, *rest, **more):
        with contextlib.ExitStack() as stack:
            fd = os.open(db + ".lock", os.O_CREAT | os.O_WRONLY, 0o644)
            stack.callback(os.close, fd)
            log.debug("waiting for %s", db)
            fcntl.flock(fd, fcntl.LOCK_EX)
            log.debug("have it")
            return function(db, *rest, **more)

    return inside


class Id(str):
    @property
    def number(self):
        return int(self[1:])


def next_id(db):
    with contextlib.suppress(FileNotFoundError), open(db, "rb") as file:
        found = (re.fullmatch(rb"\s*c(\d+)\s*\|.*", line, re.DOTALL) for line in file)
        return Id("c%d" % (1 + max((int(m.group(1)) for m in found if m), default=0)))
    return Id("c1")


@locked
def allocate(db):
    new = next_id(db)
    print("next is", new)
    with open(db, "ab+", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        if end > 0:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(f"{new}|{os.getpid()}\n".encode())
    return new
