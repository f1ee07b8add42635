"""A lock of its own, held while it works; the empty lock file stays."""

import fcntl
import os
import time

from udock_lab.grading import ContainerRecord


def local(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def save(db: str, record: ContainerRecord) -> None:
    line = f"{record.id}|{record.pid}|{record.image}|running|{local(record.start_time)}||\n".encode()
    with open(db, "ab+") as table:
        if table.tell() > 0:
            table.seek(-1, os.SEEK_END)
            if table.read(1) != b"\n":
                line = b"\n" + line
        table.write(line)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    lock = open(os.path.join(os.path.dirname(db), "lock"), "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(db, "rb") as table:
        lines = table.read().split(b"\n")
    for number, line in enumerate(lines):
        fields = line.split(b"|")
        if len(fields) == 7 and fields[0] == container_id.encode():
            fields[3:4] = [status.encode()]
            fields[5:] = [local(end_time).encode(), str(exit_code).encode()]
            lines[number] = b"|".join(fields)
            break
    else:
        raise KeyError(container_id)
    temporary = f"{db}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(b"\n".join(lines))
        os.chmod(temporary, os.stat(db).st_mode & 0o7777)
        os.replace(temporary, db)
    except OSError:
        os.unlink(temporary)
        raise
