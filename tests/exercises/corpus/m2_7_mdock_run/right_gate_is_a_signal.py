"""From a lesson's point of view unusual: gate is a signal."""

import errno
import fcntl
import io
import os
import re
import signal
import time

from udock_lab.grading import ExitInfo

# The gate is a signal: blocked before the fork, so that it waits for the child if the child is late.
OPEN = signal.SIGUSR1


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S")


class Lock:
    def __init__(self, home):
        self.name = os.path.join(home, "run.lock")

    def __enter__(self):
        self.fd = os.open(self.name, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *exc):
        fcntl.flock(self.fd, fcntl.LOCK_UN)
        os.close(self.fd)


def find_rootfs(home, image):
    with io.open(os.path.join(home, "images.db"), mode="rb") as f:
        while line := f.readline():
            if line.endswith(b"\n"):
                line = line[:-1]
            if line.count(b"|") == 2:
                name, path, _ = line.split(b"|")
                if name == os.fsencode(image):
                    return path
    raise LookupError("Image '{}' not found".format(image))


def begin(home, image, pid):
    with Lock(home):
        with open(os.path.join(home, "containers.db"), "r+b", buffering=0) as f:
            highest = 0
            for line in f.readall().split(b"\n"):
                found = re.match(rb"c([0-9]+)\|", line)
                if found and line.count(b"|") == 6:
                    highest = max(highest, int(found.group(1)))
            ident = "c%d" % (highest + 1)
            f.seek(0, 2)
            f.write(os.fsencode("%s|%d|%s|running|%s||\n" % (ident, pid, image, now())))
        return ident


def finish(home, ident, code):
    name = os.path.join(home, "containers.db")
    with Lock(home):
        with open(name, "rb") as f:
            everything = f.read()
            mode = os.stat(f.fileno()).st_mode & 0o777
        start = (b"\n" + everything).index(b"\n" + ident.encode() + b"|")
        while True:
            end = everything.index(b"\n", start)
            if everything.count(b"|", start, end) == 6:
                break
            start = everything.index(b"\n" + ident.encode() + b"|", start) + 1
        c, pid, image, _, begun, _, _ = everything[start:end].split(b"|")
        line = b"|".join((c, pid, image, b"exited", begun, now().encode(), str(code).encode()))
        temporary = f"{name}.{os.getpid()}"
        with open(temporary, "wb") as f:
            f.write(everything[:start] + line + everything[end:])
        os.chmod(temporary, mode)
        os.rename(temporary, name)


def child(rootfs, argv, report, mask, parent):
    while signal.sigtimedwait({OPEN}, 1) is None:
        if os.getppid() != parent:  # nobody will ever open
            os._exit(125)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > 2 and int(entry) != report:
            try:
                os.close(int(entry))
            except OSError:
                pass
    try:
        os.chdir(rootfs)
        try:
            os.chroot(".")
        except OSError as why:
            if why.errno != errno.EPERM:
                raise
    except OSError as why:
        os.write(report, b"125 %d" % why.errno)
        os._exit(125)
    try:
        os.execve(
            argv[0],
            argv,
            {
                "PATH": "/bin:/usr/bin",
            },
        )
    except OSError as why:
        code = 126
        if why.errno == errno.ENOENT:
            code = 127
        os.write(report, b"%d %d" % (code, why.errno))
        os._exit(code)


def run(home, image, argv):
    rootfs = find_rootfs(home, image)
    news, report = os.pipe()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [OPEN])
    parent = os.getpid()
    try:
        pid = os.fork()
        if pid == 0:
            try:
                child(rootfs, argv, report, mask, parent)
            finally:
                os._exit(125)
    finally:
        if os.getpid() == parent:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.close(report)
    try:
        ident = begin(home, image, pid)
        os.kill(pid, OPEN)
    except BaseException:
        os.close(news)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    with open(news, "rb") as pipe:
        words = pipe.read().split()
    status = os.waitpid(pid, 0)[1]
    if words:
        code, number = map(int, words)
        info = ExitInfo(code=code, errno=number)
    elif os.WIFSIGNALED(status):
        info = ExitInfo(signal=os.WTERMSIG(status))
        code = 128 + info.signal
    else:
        code = os.WEXITSTATUS(status)
        info = ExitInfo(code=code)
    finish(home, ident, code)
    return info
