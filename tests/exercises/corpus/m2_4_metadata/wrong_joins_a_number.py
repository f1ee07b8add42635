"""join with the pid as a number."""

# misconception: join makes texts of what it gets
# fails: saves
import os
import tempfile
import time

from udock_lab.grading import ContainerRecord


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    start = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.start_time))
    line = "|".join([record.id, record.pid, record.image, "running", start, "", ""])
    with open(db, "a") as f:
        f.write(line + "\n")


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    end = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(end_time))
    lines = open(db).read().split("\n")
    for i, line in enumerate(lines):
        parts = line.split("|")
        if parts[0] == container_id:
            parts[3], parts[5], parts[6] = status, end, exit_code
            lines[i] = "|".join(parts)
            open(db + ".tmp", "w").write("\n".join(lines))
            os.rename(db + ".tmp", db)
            return
    raise LookupError
