"""What a killed one left is removed first; then O_EXCL."""

import os, time


def iso(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(t))


def save(db, record):
    fields = [record.id, record.pid, record.image, "running", iso(record.start_time), "", ""]
    line = "|".join(map(str, fields)).encode() + b"\n"
    with open(db, "ab") as f:
        pass
    with open(db, "rb") as f:
        content = f.read()
    if content and content[-1] != ord("\n"):
        line = b"\n" + line
    with open(db, "ab") as f:
        f.write(line)


def update(db, container_id, status, end_time, exit_code):
    with open(db, "rb") as f:
        lines = f.readlines()
    wanted = container_id.encode()
    for number, line in enumerate(lines):
        fields = line.rstrip(b"\n").split(b"|")
        if len(fields) == 7 and fields[0] == wanted:
            tail = line[len(line.rstrip(b"\n")) :]
            fields[3] = status.encode()
            fields[5] = iso(end_time).encode()
            fields[6] = str(exit_code).encode()
            lines[number] = b"|".join(fields) + tail
            break
    else:
        raise LookupError(container_id)
    temp = db + ".new"
    try:
        os.unlink(temp)
    except FileNotFoundError:
        pass
    fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, os.stat(db).st_mode & 0o7777)
    try:
        os.fchmod(fd, os.stat(db).st_mode & 0o7777)
        with open(fd, "wb", closefd=True) as f:
            for line in lines:
                f.write(line)
        os.rename(temp, db)
    except:
        os.unlink(temp)
        raise
