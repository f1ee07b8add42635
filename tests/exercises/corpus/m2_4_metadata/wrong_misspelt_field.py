"""record.container_id, as in the list of columns."""

# misconception: a field is called like its column
# fails: saves
import os
import tempfile
import time

from udock_lab.grading import ContainerRecord


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.start_time))
    with open(db, "a") as f:
        f.write(f"{record.container_id}|{record.pid}|{record.image_name}|running|{start}||\n")


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    raise NotImplementedError("Your code goes here.")
