"""A table that is new gets its name by rename, too; names of temporary files are random."""

"""The temporary file lies in a folder of its own beside the table?  No: in the table's folder, with a random name."""
import os, secrets, time


def _w(fd, data):
    n = 0
    while n < len(data):
        n += os.write(fd, data[n:])


def save(db, record):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(record.start_time))
    new = f"{record.id}|{record.pid}|{record.image}|running|{stamp}||\n".encode()
    try:
        old = open(db, "rb").read()
    except FileNotFoundError:
        old = None
    if old and not old.endswith(b"\n"):
        new = b"\n" + new
    if old is None:
        tmp = f"{db}.{secrets.token_hex(4)}"
        fd = os.open(tmp, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        _w(fd, new)
        os.close(fd)
        os.rename(tmp, db)
        return
    fd = os.open(db, os.O_WRONLY | os.O_APPEND)
    os.write(fd, new)
    os.close(fd)


def update(db, container_id, status, end_time, exit_code):
    data = open(db, "rb").read()
    pos = 0
    for line in data.split(b"\n"):
        f = line.split(b"|")
        if len(f) == 7 and f[0] == container_id.encode():
            break
        pos += len(line) + 1
    else:
        raise LookupError(container_id)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(end_time))
    middle = b"|".join(f[:3]) + f"|{status}|".encode() + f[4] + f"|{stamp}|{exit_code}".encode()
    tmp = f"{db}.{secrets.token_hex(8)}"
    fd = os.open(tmp, os.O_CREAT | os.O_EXCL | os.O_WRONLY, os.stat(db).st_mode & 0o777)
    try:
        os.chmod(fd, os.stat(db).st_mode & 0o777)
        _w(fd, data[:pos])
        _w(fd, middle)
        _w(fd, data[pos + len(line) :])
        os.rename(tmp, db)
    except BaseException:
        os.unlink(tmp)
        raise
    finally:
        os.close(fd)
