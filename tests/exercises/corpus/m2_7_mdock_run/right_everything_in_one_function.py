"""One function, lists of lines, rename for both phases."""

import errno
import fcntl
import os
import time

from udock_lab.grading import ExitInfo

TEXT = {"errors": "surrogateescape", "newline": "\n"}  # any bytes; only \n ends a line


def run(home, image, argv):
    with open(os.path.join(home, "images.db")) as db:
        rows = [line.strip().split("|") for line in db]
    rootfs = next((row[1] for row in rows if len(row) == 3 and row[0] == image), None)
    if rootfs is None:
        raise LookupError(f"Image '{image}' not found")
    table = os.path.join(home, "containers.db")

    def change(edit):
        lock = os.open(os.path.join(home, "containers.lock"), os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(table, **TEXT) as file:
                lines = edit(file.readlines())
            with open(table + ".tmp", "w", **TEXT) as file:
                file.writelines(lines)
            os.rename(table + ".tmp", table)
        finally:
            os.close(lock)

    start = time.strftime("%Y-%m-%dT%H:%M:%S")
    ids = []

    def first(lines):
        heads = [line.split("|")[0] for line in lines if line.count("|") == 6]
        numbers = [int(head[1:]) for head in heads if head[:1] == "c" and head[1:].isdigit()]
        ids.append(f"c{max([0, *numbers]) + 1}")
        return [*lines, f"{ids[0]}|{pid}|{image}|running|{start}||\n"]

    def second(lines):
        end = time.strftime("%Y-%m-%dT%H:%M:%S")
        done = f"{ids[0]}|{pid}|{image}|exited|{start}|{end}|{code}\n"
        return [done if line.split("|")[0] == ids[0] else line for line in lines]

    r, w = os.pipe()
    hold, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(go)
            if not os.read(hold, 1):
                os._exit(125)  # the parent is gone, and nothing is recorded
            step = 0
            os.chdir(rootfs)
            try:
                os.chroot(rootfs)
                os.chdir("/")
            except OSError as refused:
                if refused.errno != errno.EPERM:
                    raise
            step = 1
            os.execve(argv[0], argv, {"PATH": "/bin:/sbin:/usr/bin"})
        except OSError as error:
            os.write(w, bytes([step, error.errno]))
        finally:
            os._exit(1)
    os.close(w)
    os.close(hold)
    change(first)
    os.write(go, b"1")
    os.close(go)
    said = os.read(r, 2)
    os.close(r)
    status = os.waitpid(pid, 0)[1]
    if said:
        code = 125 if said[0] == 0 else 127 if said[1] == errno.ENOENT else 126
        change(second)
        return ExitInfo(code=code, errno=said[1])
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        number = -code
        code = 128 + number
        change(second)
        return ExitInfo(signal=number)
    change(second)
    return ExitInfo(code=code)
