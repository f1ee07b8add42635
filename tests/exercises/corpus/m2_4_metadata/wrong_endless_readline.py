"""readline until it gives None."""

# misconception: the end of a file is None
# fails: finishes
import os
import tempfile
import time

from udock_lab.grading import ContainerRecord


def to_iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    line = f"{record.id}|{record.pid}|{record.image}|running|{to_iso(record.start_time)}||\n".encode()
    if os.path.exists(db):
        with open(db, "rb") as f:
            old = f.read()
        if old and old[-1:] != b"\n":
            line = b"\n" + line
    with open(db, "ab") as f:
        f.write(line)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    f = open(db)
    new = []
    while True:
        line = f.readline()
        parts = line.split("|")
        if parts[0] == container_id:
            parts[3] = status
            parts[5] = to_iso(end_time)
            parts[6] = str(exit_code) + "\n"
            line = "|".join(parts)
        if line == None:
            break
        if line:
            new.append(line)
    f.close()
    with open(db + ".tmp", "w") as f:
        f.writelines(new)
    os.rename(db + ".tmp", db)
