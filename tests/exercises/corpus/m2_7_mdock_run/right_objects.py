"""An object for each thing: table, lock, container."""

import dataclasses
import fcntl
import os
import select
import time
from udock_lab.grading import ExitInfo


@dataclasses.dataclass
class Record:
    id: str
    pid: int
    image: str
    status: str = "running"
    start: str = ""
    end: str = ""
    code: str = ""

    def line(self):
        return "|".join(map(str, dataclasses.astuple(self))) + "\n"

    @classmethod
    def parse(cls, line):
        fields = line.rstrip("\n").split("|")
        return cls(*fields) if len(fields) == 7 else None


class Lock:
    def __init__(self, home):
        self.path = os.path.join(home, "mdock.lock")

    def __enter__(self):
        self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.lockf(self.fd, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_):
        os.close(self.fd)


class Containers:
    def __init__(self, home):
        self.home, self.path = home, os.path.join(home, "containers.db")

    def read(self):
        with open(self.path, encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            return f.readlines()

    def write(self, lines):
        new = f"{self.path}.{os.getpid()}"
        with open(new, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as f:
            f.writelines(lines)
        os.rename(new, self.path)

    def add(self, image, pid):
        with Lock(self.home):
            lines = self.read()
            numbers = [0]
            for line in lines:
                r = Record.parse(line)
                if r and r.id.startswith("c") and r.id[1:].isdecimal():
                    numbers.append(int(r.id[1:]))
            rec = Record(f"c{max(numbers) + 1}", pid, image, start=time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime()))
            self.write(lines + [rec.line()])
            return rec

    def complete(self, rec, code):
        rec.status, rec.end, rec.code = "exited", time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime()), str(code)
        with Lock(self.home):
            lines = self.read()
            for i, line in enumerate(lines):
                old = Record.parse(line)
                if old and old.id == rec.id:
                    lines[i] = rec.line()
            self.write(lines)


class Images:
    def __init__(self, home):
        self.path = os.path.join(home, "images.db")

    def __getitem__(self, name):
        with open(self.path, "r", errors="surrogateescape", newline="\n") as f:
            for line in f:
                match line.rstrip("\n").split("|"):
                    case [n, path, _] if n == name:
                        return path
        raise LookupError(f"Image '{name}' not found")


class Container:
    def __init__(self, rootfs, argv):
        self.rootfs, self.argv = rootfs, argv

    def fork(self):
        self.memfd = os.memfd_create("report")
        self.event = os.eventfd(0)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.eventfd_read(self.event)
                self.child()
            finally:
                os._exit(125)

    def child(self):
        stage = 125
        try:
            program = self.argv[0]
            try:
                os.chroot(self.rootfs)
            except PermissionError as e:
                if e.errno != 1:
                    raise
                os.chdir(self.rootfs)
                program = self.rootfs + program
            else:
                os.chdir("/")
            stage = 126
            os.execve(program, self.argv, dict(PATH="/bin"))
        except OSError as e:
            if stage == 126 and isinstance(e, FileNotFoundError):
                stage = 127
            os.pwrite(self.memfd, b"%d %d" % (stage, e.errno), 0)
            os._exit(stage)

    def go(self):
        os.eventfd_write(self.event, 1)
        os.close(self.event)

    def wait(self):
        pidfd = os.pidfd_open(self.pid)
        select.select([pidfd], [], [])
        info = os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)
        report = os.pread(self.memfd, 100, 0)
        os.close(self.memfd)
        if report:
            code, number = report.split()
            return ExitInfo(code=int(code), errno=int(number))
        if info.si_code == os.CLD_EXITED:
            return ExitInfo(code=info.si_status)
        return ExitInfo(signal=info.si_status)


def run(home, image, argv):
    container = Container(Images(home)[image], argv)
    container.fork()
    table = Containers(home)
    record = table.add(image, container.pid)
    container.go()
    info = container.wait()
    table.complete(record, info.code if info.signal is None else 128 + info.signal)
    return info
