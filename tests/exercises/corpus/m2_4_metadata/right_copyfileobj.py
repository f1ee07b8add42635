"""save and update copy into a named temporary file, then rename."""

import os
import shutil
import tempfile
import time

from udock_lab.grading import ContainerRecord


def _time(seconds):
    broken_down = time.localtime(seconds)
    return time.strftime("%Y-%m-%d", broken_down) + "T" + time.strftime("%H:%M:%S", broken_down)


class _Beside:
    """A temporary file beside db. commit() renames it; leaving without commit() removes it."""

    def __init__(self, db):
        self.db = db

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile(
            "w+b", dir=os.path.dirname(os.path.abspath(self.db)), prefix="containers-", delete=False
        )
        return self

    def commit(self):
        self.file.close()  # an error of the last write shows here
        if os.path.exists(self.db):
            shutil.copymode(self.db, self.file.name)
        else:
            os.chmod(self.file.name, 0o644)
        os.replace(self.file.name, self.db)
        self.file = None

    def __exit__(self, *error):
        if self.file is not None:
            name = self.file.name
            try:
                self.file.close()
            except OSError:
                pass
            os.unlink(name)


def save(db: str, record: ContainerRecord) -> None:
    with _Beside(db) as beside:
        out = beside.file
        try:
            with open(db, "rb") as old:
                shutil.copyfileobj(old, out)
        except FileNotFoundError:
            pass
        if out.tell():
            out.seek(-1, os.SEEK_END)
            if out.read(1) != b"\n":
                out.write(b"\n")
        out.write(f"{record.id}|{record.pid}|{record.image}|running|{_time(record.start_time)}||\n".encode())
        beside.commit()


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    if not os.path.exists(db):
        raise LookupError(container_id)
    with _Beside(db) as beside, open(db, "rb") as old:
        found = False
        for line in old:
            if not found and line.count(b"|") == 6 and line.split(b"|", 1)[0] == container_id.encode():
                found = True
                end = b"\n" if line.endswith(b"\n") else b""
                first, pid, image, _, start, _ = line.split(b"|", 5)
                line = (
                    b"|".join(
                        [
                            first,
                            pid,
                            image,
                            status.encode(),
                            start,
                            _time(end_time).encode(),
                            repr(int(exit_code)).encode(),
                        ]
                    )
                    + end
                )
            beside.file.write(line)
        if not found:
            raise LookupError(container_id)
        beside.commit()
