"""Reads the table in text mode, which takes a carriage return for the end of a line."""

# misconception: text mode changes nothing
# fails: whole
import errno
import fcntl
import os
import time
from udock_lab.grading import ExitInfo


def open_text(path, mode):
    return open(path, mode, encoding="utf-8", errors="surrogateescape")


def find_rootfs(home, image):
    with open_text(home + "/images.db", "r") as f:
        for line in f.read().split("\n"):
            parts = line.split("|")
            if len(parts) == 3 and parts[0] == image:
                return parts[1]
    raise LookupError("Image '" + image + "' not found")


def take_lock(home):
    lock = open(home + "/containers.lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def begin(home, image, pid):
    lock = take_lock(home)
    with open_text(home + "/containers.db", "r") as f:
        lines = f.read().split("\n")
    highest = 0
    for line in lines:
        parts = line.split("|")
        if len(parts) != 7:
            continue
        cid = parts[0].strip()
        if not cid.startswith("c"):
            continue
        try:
            number = int(cid[1:])
        except ValueError:
            continue
        if number > highest:
            highest = number
    cid = "c" + str(highest + 1)
    with open_text(home + "/containers.db", "a") as f:
        f.write(f"{cid}|{pid}|{image}|running|{time.strftime('%Y-%m-%dT%H:%M:%S')}||\n")
    lock.close()
    return cid


def finish(home, cid, code):
    lock = take_lock(home)
    with open_text(home + "/containers.db", "r") as f:
        lines = f.read().split("\n")
    new = []
    for line in lines:
        parts = line.split("|")
        if len(parts) == 7 and parts[0] == cid:
            parts[3] = "exited"
            parts[5] = time.strftime("%Y-%m-%dT%H:%M:%S")
            parts[6] = str(code)
            line = "|".join(parts)
        new.append(line)
    with open_text(home + "/containers.db.tmp", "w") as f:
        f.write("\n".join(new))
    os.replace(home + "/containers.db.tmp", home + "/containers.db")
    lock.close()


def become(rootfs, argv, gate, report):
    os.read(gate, 1)
    program = argv[0]
    try:
        os.chdir(rootfs)
        os.chroot(rootfs)
        os.chdir("/")
    except PermissionError as e:
        if e.errno == errno.EPERM:
            program = rootfs + argv[0]
        else:
            os.write(report, ("125 " + str(e.errno)).encode())
            os._exit(125)
    except OSError as e:
        os.write(report, ("125 " + str(e.errno)).encode())
        os._exit(125)
    try:
        os.execve(program, argv, {"PATH": "/bin:/usr/bin"})
    except OSError as e:
        if e.errno == errno.ENOENT:
            os.write(report, ("127 " + str(e.errno)).encode())
            os._exit(127)
        os.write(report, ("126 " + str(e.errno)).encode())
        os._exit(126)


def run(home, image, argv):
    rootfs = find_rootfs(home, image)
    gate_r, gate_w = os.pipe()
    report_r, report_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(gate_w)
        os.close(report_r)
        become(rootfs, argv, gate_r, report_w)
    os.close(gate_r)
    os.close(report_w)
    cid = begin(home, image, pid)
    os.write(gate_w, b"x")
    os.close(gate_w)
    report = os.read(report_r, 100).decode()
    os.close(report_r)
    pid, status = os.waitpid(pid, 0)
    if report != "":
        code, number = report.split(" ")
        finish(home, cid, int(code))
        return ExitInfo(code=int(code), errno=int(number))
    if os.WIFSIGNALED(status):
        finish(home, cid, 128 + os.WTERMSIG(status))
        return ExitInfo(signal=os.WTERMSIG(status))
    finish(home, cid, os.WEXITSTATUS(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
