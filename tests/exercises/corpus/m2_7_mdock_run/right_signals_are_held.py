"""From a lesson's point of view unusual: signals are held."""

import errno
import fcntl
import os
import re
import signal
import time
from contextlib import contextmanager

from udock_lab.grading import ExitInfo

CONTAINERS, IMAGES = "containers.db", "images.db"


@contextmanager
def signals_held():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield before
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def locked(home):
    fd = os.open(os.path.join(home, ".mdock.lock"), os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                break
            except InterruptedError:
                continue
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)
        os.close(fd)


def slurp(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        parts = []
        while part := os.read(fd, 1 << 16):
            parts.append(part)
        return b"".join(parts), os.fstat(fd).st_mode & 0o7777
    finally:
        os.close(fd)


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def find_rootfs(home, image):
    wanted = os.fsencode(image)
    for line in slurp(os.path.join(home, IMAGES))[0].split(b"\n"):
        fields = line.split(b"|")
        if len(fields) == 3 and fields[0] == wanted:
            return fields[1]
    raise LookupError(f"Image '{image}' not found")


def begin(home, image, pid):
    path = os.path.join(home, CONTAINERS)
    with locked(home):
        data, _ = slurp(path)
        highest = 0
        for line in data.split(b"\n"):
            fields = line.split(b"|")
            if len(fields) == 7:
                m = re.fullmatch(rb"c(\d+)", fields[0].strip())  # bytes: \d is 0 to 9
                if m:
                    highest = max(highest, int(m[1]))
        name = f"c{highest + 1}"
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S")
        line = b"|".join([name.encode(), str(pid).encode(), os.fsencode(image), b"running", stamp.encode(), b"", b""])
        fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        try:
            write_all(fd, line + b"\n")
        finally:
            os.close(fd)
        return name


def finish(home, container, code):
    path = os.path.join(home, CONTAINERS)
    temporary = path + ".tmp"
    with locked(home):
        data, mode = slurp(path)
        lines = data.split(b"\n")
        for i, line in enumerate(lines):
            fields = line.split(b"|")
            if len(fields) == 7 and fields[0] == container.encode() and fields[3] == b"running":
                stamp = time.strftime("%Y-%m-%dT%H:%M:%S").encode()
                lines[i] = b"|".join([*fields[:3], b"exited", fields[4], stamp, str(code).encode()])
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.fchmod(fd, mode)
            write_all(fd, b"\n".join(lines))
            os.fsync(fd)
        except BaseException:
            os.unlink(temporary)
            raise
        finally:
            os.close(fd)
        os.rename(temporary, path)


def become(rootfs, argv, gate, report, mask):
    stage = 125
    try:
        if not os.read(gate, 1):
            return
        for fd in [int(name) for name in os.listdir("/proc/self/fd")]:
            if fd > 2 and fd != report:
                try:
                    os.close(fd)
                except OSError:
                    pass
        for number in signal.SIGPIPE, signal.SIGXFSZ:  # Python ignores these two
            signal.signal(number, signal.SIG_DFL)
        os.chdir(rootfs)
        try:
            os.chroot(".")
        except OSError as error:
            if error.errno != errno.EPERM:
                raise
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        stage = 126
        os.execve(argv[0], argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    except OSError as error:
        code = 127 if (stage, error.errno) == (126, errno.ENOENT) else stage
        os.write(report, b"%d:%d" % (code, error.errno))


def run(home, image, argv):
    rootfs = find_rootfs(home, image)
    gate, opener = os.pipe()
    news, report = os.pipe()
    ends = {gate, opener, news, report}
    pid, reaped = None, False

    def shut(*fds):
        for fd in fds:
            if fd in ends:
                ends.discard(fd)
                os.close(fd)

    try:
        with signals_held() as mask:
            pid = os.fork()
            if pid == 0:
                try:
                    os.close(opener)
                    os.close(news)
                    become(rootfs, argv, gate, report, mask)
                finally:
                    os._exit(125)
        shut(gate, report)
        container = begin(home, image, pid)
        try:
            os.write(opener, b".")
        except BrokenPipeError:
            pass
        said = b""
        while chunk := os.read(news, 64):
            said += chunk
        _, status = os.waitpid(pid, 0)
        reaped = True
    finally:
        shut(*list(ends))
        if pid and not reaped:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if said:
        code, number = (int(word) for word in said.split(b":"))
        finish(home, container, code)
        return ExitInfo(code=code, errno=number)
    if os.WIFSIGNALED(status):
        finish(home, container, 128 + os.WTERMSIG(status))
        return ExitInfo(signal=os.WTERMSIG(status))
    finish(home, container, os.WEXITSTATUS(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
