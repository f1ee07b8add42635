"""The environment has a PATH with nothing in it."""

# misconception: an empty PATH is a PATH
# fails: clean
import errno
import fcntl
import os
import re
import tempfile
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from udock_lab.grading import ExitInfo

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ImageNotFound(LookupError):
    """No such image."""


@contextmanager
def locked(home: str):
    """Hold an exclusive lock on home/.containers.lock."""
    with open(Path(home) / ".containers.lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def now() -> str:
    return datetime.now().replace(microsecond=0).isoformat()


def find_rootfs(home: str, image: str) -> str:
    """Return the rootfs of the image."""
    with open(os.path.join(home, "images.db"), "rb") as f:
        for raw in f:
            parts = raw.rstrip(b"\n").split(b"|")
            if len(parts) != 3:
                continue
            name, path, _created = parts
            if name == os.fsencode(image):
                return os.fsdecode(path)
    raise ImageNotFound(f"Image '{image}' not found")


def begin(home: str, image: str, pid: int) -> str:
    db = Path(home, "containers.db")
    with locked(home):
        highest = 0
        for raw in db.read_bytes().split(b"\n"):
            parts = raw.split(b"|")
            if len(parts) == 7 and (m := re.fullmatch(rb"c([0-9]+)", parts[0])):
                highest = max(highest, int(m[1]))
        container = f"c{highest + 1}"
        with db.open("ab") as f:
            f.write(f"{container}|{pid}|{image}|running|{now()}||\n".encode())
            f.flush()
            os.fsync(f.fileno())
    return container


def finish(home: str, container: str, code: int) -> None:
    db = Path(home, "containers.db")
    with locked(home):
        lines = db.read_bytes().split(b"\n")
        for i, raw in enumerate(lines):
            parts = raw.split(b"|")
            if len(parts) == 7 and parts[0] == container.encode():
                parts[3] = b"exited"
                parts[5] = now().encode()
                parts[6] = str(code).encode()
                lines[i] = b"|".join(parts)
                break
        fd, tmp = tempfile.mkstemp(prefix="containers.", suffix=".tmp", dir=home)
        try:
            with os.fdopen(fd, "wb") as f:
                f.write(b"\n".join(lines))
                f.flush()
                os.fsync(f.fileno())
            os.replace(tmp, db)
        except BaseException:
            os.unlink(tmp)
            raise


def become(rootfs: str, argv: list[str], gate: int, report: int) -> None:
    code = 125
    try:
        if os.read(gate, 1) != b"g":
            os._exit(125)
        program = argv[0]
        os.chdir(rootfs)
        try:
            os.chroot(".")
            os.chdir("/")
        except OSError as e:
            if e.errno != errno.EPERM:
                raise
            program = rootfs.rstrip("/") + "/" + argv[0].lstrip("/")
        code = 126
        os.execve(program, argv, {"PATH": ""})
    except OSError as e:
        if code == 126 and e.errno == errno.ENOENT:
            code = 127
        os.write(report, f"{code} {e.errno}".encode())
    finally:
        os._exit(code)


def run(home: str, image: str, argv: list[str]) -> ExitInfo:
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
    container = begin(home, image, pid)
    os.write(gate_w, b"g")
    os.close(gate_w)
    with os.fdopen(report_r, "rb") as f:
        report = f.read()
    _, status = os.waitpid(pid, 0)
    if report:
        code, number = map(int, report.split())
        finish(home, container, code)
        return ExitInfo(code=code, errno=number)
    if os.WIFSIGNALED(status):
        finish(home, container, 128 + os.WTERMSIG(status))
        return ExitInfo(signal=os.WTERMSIG(status))
    finish(home, container, os.WEXITSTATUS(status))
    return ExitInfo(code=os.WEXITSTATUS(status))
