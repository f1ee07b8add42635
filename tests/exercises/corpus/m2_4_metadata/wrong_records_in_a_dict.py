"""The records are kept in a dict that a statement at the top fills."""

# misconception: the process that saved a record is the one that updates it
# fails: finishes
records = {"c7": [4711, "demo", "running", "2026-01-01T11:15:00", "", ""]}

import os
import tempfile
import time

from udock_lab.grading import ContainerRecord


def write_all(db):
    with open(db + ".tmp", "w") as f:
        for id, r in records.items():
            f.write("|".join([id] + [str(x) for x in r]) + "\n")
    os.rename(db + ".tmp", db)


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.start_time))
    records[record.id] = [record.pid, record.image, "running", start, "", ""]
    line = "|".join([record.id] + [str(x) for x in records[record.id]]) + "\n"
    if os.path.exists(db):
        old = open(db, "rb").read()
        if old and not old.endswith(b"\n"):
            line = "\n" + line
    with open(db, "a") as f:
        f.write(line)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    r = records[container_id]  # KeyError is a LookupError
    r[2] = status
    r[4] = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(end_time))
    r[5] = exit_code
    write_all(db)
