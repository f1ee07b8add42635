"""Text as latin-1 with newline="", which keeps every byte."""

import os
import stat
import tempfile
import time
from pathlib import Path

from udock_lab.grading import ContainerRecord

# latin-1 has a letter for each of the 256 bytes and newline="" leaves \r alone: whatever comes in goes out again
RAW = {"encoding": "latin-1", "newline": ""}


def as_raw(text: str) -> str:
    return text.encode("utf-8").decode("latin-1")


def local(seconds: float) -> str:
    return time.strftime("%FT%T", time.localtime(seconds))


def read_raw(path: Path) -> str:
    with path.open("r", **RAW) as file:
        return file.read()


def replace(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".tmp")
    temporary.unlink(missing_ok=True)
    try:
        with temporary.open("x", **RAW) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def save(db: str, record: ContainerRecord) -> None:
    path = Path(db)
    text = read_raw(path) if path.exists() else ""
    if text and text[-1] != "\n":
        text += "\n"
    replace(path, text + as_raw(f"{record.id}|{record.pid}|{record.image}|running|{local(record.start_time)}||\n"))


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    path = Path(db)
    lines = read_raw(path).split("\n") if path.exists() else []
    mine = [n for n, line in enumerate(lines) if line.count("|") == 6 and line.split("|")[0] == as_raw(container_id)]
    if not mine:
        raise LookupError(f"{container_id}: no such container in {db}")
    (number,) = mine[:1]
    head = lines[number].split("|")[:5]
    head[3] = as_raw(status)
    lines[number] = "|".join([*head, local(end_time), str(exit_code)])
    replace(path, "\n".join(lines))
