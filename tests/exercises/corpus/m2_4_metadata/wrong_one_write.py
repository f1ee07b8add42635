"""One os.write; nobody looks at what it returned."""

# misconception: write is all-or-nothing
# fails: refuses
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
    fd = os.open(db + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(fd, data)
    os.close(fd)
    os.replace(db + ".tmp", db)
