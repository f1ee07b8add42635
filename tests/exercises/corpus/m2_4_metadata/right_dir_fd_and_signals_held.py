"""Names relative to an open folder, signals held, the folder synced."""

import os
import signal
import tempfile
import time
from contextlib import contextmanager

from udock_lab.grading import ContainerRecord


@contextmanager
def signals_held():
    """Ctrl-C waits until the table is in place (kill -9 does not, so the rename is still needed)."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def folder_of(db):
    head, name = os.path.split(db)
    fd = os.open(head or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd, name
    finally:
        os.close(fd)


def slurp(folder, name):
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        return file.read()


def put(folder, name, data):
    temporary = name + ".tmp"
    try:
        os.unlink(temporary, dir_fd=folder)
    except FileNotFoundError:
        pass
    out = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
    try:
        try:
            at = 0
            while at < len(data):
                at += os.pwrite(out, data[at:], at)
            try:
                os.fchmod(out, os.stat(name, dir_fd=folder).st_mode & 0o7777)
            except FileNotFoundError:
                pass
            os.fsync(out)
        finally:
            os.close(out)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def when(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds // 1)).encode()


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    with signals_held(), folder_of(db) as (folder, name):
        try:
            data = slurp(folder, name)
        except FileNotFoundError:
            data = b""
        glue = b"" if data[-1:] in (b"", b"\n") else b"\n"
        line = b"%b|%d|%b|running|%b||\n" % (
            record.id.encode(),
            record.pid,
            record.image.encode(),
            when(record.start_time),
        )
        put(folder, name, data + glue + line)


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    with signals_held(), folder_of(db) as (folder, name):
        try:
            lines = slurp(folder, name).split(b"\n")
        except FileNotFoundError as error:
            raise LookupError(container_id) from error
        table = {}
        for number, line in enumerate(lines):
            fields = line.split(b"|")
            if len(fields) == 7:
                table.setdefault(fields[0], (number, fields))
        number, fields = table[container_id.encode()]  # KeyError is a LookupError
        fields[3], fields[5], fields[6] = status.encode(), when(end_time), b"%d" % exit_code
        lines[number] = b"|".join(fields)
        put(folder, name, b"\n".join(lines))
