"""Copies the table beside itself, mode and all, changes the copy in place, and moves it onto the table."""

import os
import shutil
import time

from udock_lab.grading import ContainerRecord


def local(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def save(db: str, record: ContainerRecord) -> None:
    fields = (record.id, record.pid, record.image, "running", local(record.start_time), "", "")
    line = "|".join(map(str, fields)).encode() + b"\n"
    old = b""
    if os.path.exists(db):
        with open(db, "rb") as table:
            old = table.read()
    if old and old[-1:] != b"\n":
        old += b"\n"
    with open(db + "~", "wb") as file:
        file.write(old + line)
    if os.path.exists(db):
        shutil.copymode(db, db + "~")
    os.rename(db + "~", db)


def changed(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> bytes:
    with open(db, "rb") as table:
        lines = table.read().split(b"\n")
    for number, line in enumerate(lines):
        fields = line.split(b"|")
        if len(fields) == 7 and fields[0] == container_id.encode():
            fields[3:4] = [status.encode()]
            fields[5:] = [local(end_time).encode(), str(exit_code).encode()]
            lines[number] = b"|".join(fields)
            return b"\n".join(lines)
    raise KeyError(container_id)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    data = changed(db, container_id, status, end_time, exit_code)
    copy = db + "~"
    try:
        shutil.copy2(db, copy)
        with open(copy, "r+b") as file:
            file.write(data)
            file.truncate()
        shutil.move(copy, db)
    except OSError:
        os.unlink(copy)
        raise
