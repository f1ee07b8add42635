"""It waits as long as /proc/locks shows a lock; it takes none."""

# earns: 4
# never both: waits, many
import os
import re


def next_id(db):
    try:
        with open(db, "rb") as file:
            numbers = [int(found[1]) for line in file if (found := re.match(rb" *c([0-9]+) *\|", line))]
    except FileNotFoundError:
        numbers = []
    return f"c{max(numbers, default=0) + 1}"


def allocate(db):
    made = next_id(db)
    with open(db, "a+b") as file:
        file.seek(0)
        torn = file.read()[-1:] not in (b"", b"\n")
        file.write(b"\n" * torn + f"{made}|{os.getpid()}\n".encode())
    return made


import time

real_allocate = allocate


def allocate(db):
    inode = str(os.stat(db + ".lock").st_ino) if os.path.exists(db + ".lock") else None
    open(db + ".lock", "a").close()
    while inode and any(f":{inode} " in line for line in open("/proc/locks") if "FLOCK" in line):
        time.sleep(0.001)
    return real_allocate(db)
