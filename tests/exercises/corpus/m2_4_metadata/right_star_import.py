"""from os import *: write and open are the kernel's own here."""

from os import *
from time import localtime, strftime
import builtins

F = "%Y-%m-%dT%H:%M:%S"


def save(db, record):
    fd = open(db, O_RDWR | O_CREAT | O_APPEND)
    try:
        size = fstat(fd).st_size
        line = f"{record.id}|{record.pid}|{record.image}|running|{strftime(F, localtime(record.start_time))}||\n"
        write(fd, (b"\n" if size and pread(fd, 1, size - 1) != b"\n" else b"") + line.encode())
    finally:
        close(fd)


def update(db, container_id, *how):
    status, end, code = how
    with builtins.open(db, "rb") as f:
        old = f.read()
    new, found = [], 0
    for line in old.split(b"\n"):
        match line.split(b"|"):
            case [name, pid, image, _, start, _, _] if name.decode(errors="replace") == container_id:
                line = b"|".join(
                    [name, pid, image, status.encode(), start, strftime(F, localtime(end)).encode(), b"%d" % code]
                )
                found += 1
        new.append(line)
    if not found:
        raise KeyError(container_id)
    part = f"{db}.{getpid()}.part"
    try:
        with builtins.open(part, "wb") as f:
            f.write(b"\n".join(new))
        chmod(part, stat(db).st_mode & 0o777)
        rename(part, db)
    except BaseException:
        unlink(part)
        raise
