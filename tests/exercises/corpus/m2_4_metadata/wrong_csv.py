"""The csv module reads and writes the table."""

# misconception: a table with | is a CSV file
# fails: others
import csv
import io
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
    with open(db, encoding="latin-1", newline="") as table:
        rows = list(csv.reader(table, delimiter="|"))
    mine = [row for row in rows if len(row) == 7 and row[0] == container_id]
    if not mine:
        raise KeyError(container_id)
    mine[0][3:] = [status, mine[0][4], local(end_time), str(exit_code)]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter="|", lineterminator="\n").writerows(rows)
    return out.getvalue().encode("latin-1")


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    data = changed(db, container_id, status, end_time, exit_code)
    temporary = f"{db}.tmp"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        os.chmod(temporary, os.stat(db).st_mode & 0o7777)
        os.replace(temporary, db)
    except OSError:
        os.unlink(temporary)
        raise
