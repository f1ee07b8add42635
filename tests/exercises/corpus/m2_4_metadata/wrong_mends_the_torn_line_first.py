"""The torn line is ended in one go, the record added in the next."""

# misconception: mending is no change
# fails: whole

import os, time, shutil, tempfile, stat, re
from datetime import datetime, timezone


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(t))


def save(db, record):
    line = f"{record.id}|{record.pid}|{record.image}|running|{iso(record.start_time)}||\n".encode()
    try:
        with open(db, "rb") as f:
            old = f.read()
    except FileNotFoundError:
        old = b""
    if old and old[-1:] != b"\n":
        with open(db, "ab") as f:
            f.write(b"\n")
    with open(db, "ab") as f:
        f.write(line)


def changed(db, container_id, status, end_time, exit_code):
    with open(db, "rb") as f:
        lines = f.read().split(b"\n")
    hit = False
    for i, line in enumerate(lines):
        f = line.split(b"|")
        if len(f) == 7 and f[0] == container_id.encode():
            f[3], f[5], f[6] = status.encode(), iso(end_time).encode(), str(exit_code).encode()
            lines[i] = b"|".join(f)
            hit = True
    if not hit:
        raise LookupError(container_id)
    return b"\n".join(lines)


def update(db, container_id, status, end_time, exit_code):
    data = changed(db, container_id, status, end_time, exit_code)
    tmp = db + ".tmp"
    try:
        with open(tmp, "wb") as f:
            f.write(data)
        shutil.copymode(db, tmp)
        os.replace(tmp, db)
    except BaseException:
        if os.path.exists(tmp):
            os.unlink(tmp)
        raise
