"""A context manager that puts the table in place, whole or not at all."""

import os
import tempfile
import time
from datetime import datetime
from math import floor

from udock_lab.grading import ContainerRecord


class Table:
    """The table as bytes; `with` puts it in place whole, or not at all."""

    def __init__(self, path):
        self.path = os.path.realpath(path)
        self.temporary = os.path.join(os.path.dirname(self.path), f".{os.path.basename(self.path)}.new")
        self.mode = None
        self.lines = []

    def __enter__(self):
        try:
            with open(self.path, "rb", buffering=0) as file:
                self.mode = os.fstat(file.fileno()).st_mode & 0o7777
                self.lines = file.readall().split(b"\n")
        except FileNotFoundError:
            self.lines = [b""]
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            return False
        try:
            os.unlink(self.temporary)
        except FileNotFoundError:
            pass
        try:
            with open(self.temporary, "xb", buffering=0) as file:
                self._write_all(file, b"\n".join(self.lines))
                if self.mode is not None:
                    os.fchmod(file.fileno(), self.mode)
                os.fsync(file.fileno())
            os.rename(self.temporary, self.path)
        except BaseException:
            try:
                os.unlink(self.temporary)
            except FileNotFoundError:
                pass
            raise
        return False

    @staticmethod
    def _write_all(file, data):
        done = 0
        while done < len(data):
            count = file.write(data[done:])
            if not count:
                raise OSError("nothing more can be written")
            done += count

    def append(self, line):
        if self.lines[-1] == b"":  # the table is empty or ends with a newline
            self.lines.pop()
        self.lines += [line, b""]

    def find(self, container_id):
        for number, line in enumerate(self.lines):
            if line.count(b"|") == 6 and line.startswith(container_id + b"|"):
                return number
        raise LookupError(container_id.decode(errors="replace"))


def iso(seconds):
    return datetime.fromtimestamp(floor(seconds)).isoformat()


def save(db: str, record: ContainerRecord) -> None:
    with Table(db) as table:
        table.append(f"{record.id}|{record.pid}|{record.image}|running|{iso(record.start_time)}||".encode())


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    with Table(db) as table:
        number = table.find(container_id.encode())
        name, pid, image, _, start, _, _ = table.lines[number].split(b"|")
        table.lines[number] = b"|".join(
            (name, pid, image, status.encode(), start, iso(end_time).encode(), str(exit_code).encode())
        )
