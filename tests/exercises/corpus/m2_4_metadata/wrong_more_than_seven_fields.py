"""A line with seven fields or more is a record."""

# misconception: what is behind the seventh field does not matter
# fails: others
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


def replace_table(db, data):
    temporary = db + ".tmp"
    if os.path.exists(temporary):
        os.unlink(temporary)  # left by a run that was killed
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        if os.path.exists(db):
            os.chmod(temporary, os.stat(db).st_mode & 0o7777)
        os.rename(temporary, db)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    table = read_table(db)
    if table and not table.endswith(b"\n"):
        table += b"\n"
    line = f"{record.id}|{record.pid}|{record.image}|running|{iso(record.start_time)}||\n"
    replace_table(db, table + line.encode())


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    lines = read_table(db).split(b"\n")
    for number, line in enumerate(lines):
        fields = line.split(b"|")
        if len(fields) >= 7 and fields[0] == container_id.encode():
            fields[3] = status.encode()
            fields[5] = iso(end_time).encode()
            fields[6] = str(exit_code).encode()
            lines[number] = b"|".join(fields)
            replace_table(db, b"\n".join(lines))
            return
    raise LookupError(container_id)
