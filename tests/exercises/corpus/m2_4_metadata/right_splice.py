"""Finds the record with mmap and copies what stands before and behind it inside the kernel."""

import mmap
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
    fd = os.open(db, os.O_RDONLY)
    try:
        start, end = place(fd, container_id.encode())
        old = os.pread(fd, end - start, start).split(b"|")
        new = b"|".join([*old[:3], status.encode(), old[4], local(end_time).encode(), str(exit_code).encode()])
        temporary = db + ".part"
        out = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.fchmod(out, os.fstat(fd).st_mode & 0o7777)
            copy(fd, out, 0, start)
            write(out, new)
            copy(fd, out, end, os.fstat(fd).st_size)
            os.rename(temporary, db)
        except OSError:
            os.unlink(temporary)
            raise
        finally:
            os.close(out)
    finally:
        os.close(fd)


def place(fd: int, key: bytes) -> tuple[int, int]:
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as data:
        start = 0
        while start < len(data):
            end = data.find(b"\n", start)
            end = len(data) if end < 0 else end
            fields = data[start:end].split(b"|")
            if len(fields) == 7 and fields[0] == key:
                return start, end
            start = end + 1
    raise KeyError(key)


def copy(source: int, out: int, start: int, end: int) -> None:
    while start < end:
        done = os.sendfile(out, source, start, end - start)
        start += done


def write(out: int, data: bytes) -> None:
    while data:
        data = data[os.write(out, data) :]
