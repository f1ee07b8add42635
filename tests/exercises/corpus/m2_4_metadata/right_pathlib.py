"""pathlib and datetime."""

from datetime import datetime
from pathlib import Path

from udock_lab.grading import ContainerRecord


def local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(timespec="seconds")


def save(db: str, record: ContainerRecord) -> None:
    table = Path(db)
    old = table.read_bytes() if table.exists() else b""
    with table.open("ab") as file:
        start = "" if old.endswith(b"\n") or not old else "\n"
        file.write(f"{start}{record.id}|{record.pid}|{record.image}|running|{local(record.start_time)}||\n".encode())


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    table = Path(db)
    lines = table.read_bytes().split(b"\n")
    mine = [line for line in lines if line.count(b"|") == 6 and line.startswith(f"{container_id}|".encode())]
    if not mine:
        raise LookupError(f"no container {container_id}")
    name, pid, image, _, start, _, _ = mine[0].split(b"|")
    new = b"|".join([name, pid, image, status.encode(), start, local(end_time).encode(), b"%d" % exit_code])
    temporary = table.with_suffix(".tmp")
    try:
        temporary.write_bytes(b"\n".join(new if line == mine[0] else line for line in lines))
        temporary.chmod(table.stat().st_mode & 0o7777)
        temporary.replace(table)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
