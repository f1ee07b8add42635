"""Streams from the old table into the new one and never holds it whole; many small writes."""

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
    temporary, found = f"{db}.{os.getpid()}.tmp", False
    try:
        with open(db, "rb") as old, open(temporary, "wb", buffering=0) as new:
            os.fchmod(new.fileno(), os.fstat(old.fileno()).st_mode & 0o7777)
            for line in old:
                fields = line.removesuffix(b"\n").split(b"|")
                if not found and len(fields) == 7 and fields[0] == container_id.encode():
                    found = True
                    end = f"{local(end_time)}|{exit_code}\n".encode()
                    line = b"|".join([*fields[:3], status.encode(), fields[4], end])
                if new.write(line) != len(line):
                    raise OSError("the disk is full")
        if not found:
            raise KeyError(container_id)
        os.replace(temporary, db)
    except BaseException:
        os.unlink(temporary)
        raise
