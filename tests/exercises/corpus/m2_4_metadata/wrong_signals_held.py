"""In place, with all signals held."""

# misconception: a process that holds signals cannot be killed
# fails: whole
import os
import signal
import tempfile
import time

from udock_lab.grading import ContainerRecord


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def read_table(db):
    try:
        with open(db, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""


def replace_table(db, data):
    temporary = db + ".tmp"
    if os.path.exists(temporary):
        os.unlink(temporary)  # left by a run that was killed
    try:
        with open(temporary, "wb") as file:
            file.write(data)
        if os.path.exists(db):
            os.chmod(temporary, os.stat(db).st_mode & 0o7777)
        os.rename(temporary, db)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def save(db: str, record: ContainerRecord) -> None:
    """Phase 1: add a running record at the end of the table ``db``."""
    table = read_table(db)
    if table and not table.endswith(b"\n"):
        table += b"\n"
    line = f"{record.id}|{record.pid}|{record.image}|running|{iso(record.start_time)}||\n"
    replace_table(db, table + line.encode())


def update(db: str, container_id: str, status: str, end_time: float, exit_code: int) -> None:
    """Phase 2: say in the record of ``container_id`` how it ended. LookupError if there is none."""
    old = read_table(db)
    lines = old.split(b"\n")
    for number, line in enumerate(lines):
        fields = line.split(b"|")
        if len(fields) == 7 and fields[0] == container_id.encode():
            fields[3] = status.encode()
            fields[5] = iso(end_time).encode()
            fields[6] = str(exit_code).encode()
            lines[number] = b"|".join(fields)
            break
    else:
        raise LookupError(container_id)
    new = b"\n".join(lines)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # nobody can interrupt us now
    fd = os.open(db, os.O_WRONLY)
    try:
        os.posix_fallocate(fd, 0, max(len(new), 1))  # room for all of it, or an error
        at = 0
        while at < len(new):
            at += os.pwrite(fd, new[at:], at)
        os.ftruncate(fd, len(new))
    except OSError:
        os.ftruncate(fd, len(old))
        raise
    finally:
        os.close(fd)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
