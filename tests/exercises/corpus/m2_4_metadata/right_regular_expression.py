"""One substitution over bytes; ^ and $ are bound to newlines by hand."""

import os
import re
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
    with open(db, "rb") as table:
        old = table.read()
    part = rb"[^|\n]*"
    record = rb"(?<![^\n])(%b\|%b\|%b\|)%b(\|%b\|)%b\|%b(?![^\n])"
    pattern = re.compile(record % (re.escape(container_id.encode()), part, part, part, part, part, part))
    new = rb"\g<1>%b\g<2>%b|%d" % (status.encode(), local(end_time).encode(), exit_code)
    data, times = pattern.subn(new, old, count=1)
    if not times:
        raise KeyError(container_id)
    temporary = f"{db}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.chmod(temporary, os.stat(db).st_mode & 0o7777)
        os.replace(temporary, db)
    except OSError:
        os.unlink(temporary)
        raise
