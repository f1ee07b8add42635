"""sed does it, and nobody asks how it went."""

# misconception: a program that failed raises here
# fails: refuses
import os
import subprocess
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
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    end = to_iso(end_time)
    rule = rf"s/^({container_id}\|[0-9]+\|[^|]*)\|[^|]*\|([^|]*)\|[^|]*\|[^|]*$/\1|{status}|\2|{end}|{exit_code}/"
    subprocess.run(["sed", "-E", "-i", rule, db])
