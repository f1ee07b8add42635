"""The temporary file is removed for LookupError alone."""

# misconception: only my own errors happen
# fails: hidden:tidy
import os
import tempfile
import time

from udock_lab.grading import ContainerRecord


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def read_table(db):
    try:
        with open(db, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    table = read_table(db)
    if table and not table.endswith(b"\n"):
        table += b"\n"
    line = f"{record.id}|{record.pid}|{record.image}|running|{iso(record.start_time)}||\n"
    temporary = db + ".tmp"
    with open(temporary, "wb") as file:
        file.write(table + line.encode())
    if os.path.exists(db):
        os.chmod(temporary, os.stat(db).st_mode & 0o7777)
    os.rename(temporary, db)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    lines = read_table(db).split(b"\n")
    temporary = db + ".tmp"
    found = False
    if not lines[-1] and len(lines) == 1:
        raise LookupError(container_id)
    with open(temporary, "wb") as file:
        for number, line in enumerate(lines):
            fields = line.split(b"|")
            if not found and len(fields) == 7 and fields[0] == container_id.encode():
                found = True
                fields[3] = status.encode()
                fields[5] = iso(end_time).encode()
                fields[6] = str(exit_code).encode()
            file.write(b"|".join(fields))
            if number < len(lines) - 1:
                file.write(b"\n")
    try:
        if not found:
            raise LookupError(container_id)
        os.chmod(temporary, os.stat(db).st_mode & 0o7777)
        os.rename(temporary, db)
    except LookupError:
        os.unlink(temporary)
        raise
