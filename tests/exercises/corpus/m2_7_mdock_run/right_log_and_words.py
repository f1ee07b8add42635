"""With a log file, a log of what each container is, prints, retries, HOME and TERM for the program."""

import fcntl
import logging
import os
import sys
import time
from pathlib import Path
from typing import Final, NoReturn, Optional, Tuple

from udock_lab.grading import ExitInfo

log = logging.getLogger("mdock")
ENV: Final = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "TERM": "xterm"}


def event(home: str, kind: str, **words: object) -> None:
    text = " ".join(f"{k}={v}" for k, v in words.items())
    with open(Path(home) / "log.txt", "a", encoding="utf-8") as f:
        f.write(f"[{timestamp()}] {kind} {text}\n")
    log.info("%s %s", kind, text)


def timestamp() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time()))


def find_rootfs(home: str, image: str) -> str:
    data = (Path(home) / "images.db").read_bytes().decode("utf-8", errors="surrogateescape")
    for line in data.split("\n"):
        fields = line.split("|")
        if len(fields) == 3 and fields[0] == image:
            return fields[1]
    raise LookupError(f"Image '{image}' not found")


class FileLock:
    """flock with polling, so that Ctrl-C works."""

    def __init__(self, home: str, timeout: float = 60.0) -> None:
        self._file = open(Path(home) / "containers.db.lock", "w")
        self._timeout = timeout

    def __enter__(self) -> "FileLock":
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError("somebody keeps the lock")
                time.sleep(0.005)

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def begin(home: str, image: str, pid: int) -> str:
    with FileLock(home):
        path = Path(home) / "containers.db"
        numbers = [0]
        for line in path.read_bytes().split(b"\n"):
            fields = line.split(b"|")
            if len(fields) == 7:
                ident = fields[0].decode("ascii", "replace")
                if ident[:1] == "c" and ident[1:].isascii() and ident[1:].isdecimal():
                    numbers.append(int(ident[1:]))
        container = f"c{max(numbers) + 1}"
        with open(path, "ab") as f:
            f.write(f"{container}|{pid}|{image}|running|{timestamp()}||\n".encode())
    event(home, "RUN", id=container, pid=pid)
    return container


def finish(home: str, container: str, code: int) -> None:
    with FileLock(home):
        path = Path(home) / "containers.db"
        out = []
        for line in path.read_bytes().splitlines(keepends=True) if False else path.read_bytes().split(b"\n"):
            fields = line.split(b"|")
            if len(fields) == 7 and fields[0].decode("latin-1") == container:
                line = b"|".join(fields[:3] + [b"exited", fields[4], timestamp().encode(), str(code).encode()])
            out.append(line)
        temp = path.with_suffix(".tmp")
        temp.write_bytes(b"\n".join(out))
        temp.replace(path)
    event(home, "EXIT", id=container, code=code)


def become(rootfs: str, argv: list[str], gate: int, report: int) -> NoReturn:
    try:
        if os.read(gate, 3) != b"GO!":
            os._exit(125)
        try:
            os.chroot(rootfs)
            os.chdir("/")
            program = argv[0]
        except PermissionError as e:
            if e.errno != 1:
                raise
            os.chdir(rootfs)
            program = os.path.normpath(rootfs + "/" + argv[0])
    except OSError as e:
        os.write(report, b"125 %d" % e.errno)
        os._exit(125)
    try:
        os.execvpe(program, argv, ENV)
    except OSError as e:
        code = 127 if e.errno == 2 else 126
        os.write(report, b"%d %d" % (code, e.errno))
        os._exit(code)


def run(home: str, image: str, argv: list[str]) -> ExitInfo:
    rootfs = find_rootfs(home, image)
    print(f"[mdock] starting {argv[0]} in {image}", flush=True)
    r1, w1 = os.pipe()
    r2, w2 = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(w1)
        os.close(r2)
        become(rootfs, argv, r1, w2)
    os.close(r1)
    os.close(w2)
    container = begin(home, image, pid)
    os.write(w1, b"GO!")
    os.close(w1)
    chunks = []
    while True:
        chunk = os.read(r2, 4096)
        if not chunk:
            break
        chunks.append(chunk)
    os.close(r2)
    while True:
        try:
            _, status = os.waitpid(pid, 0)
            break
        except InterruptedError:
            continue
    said = b"".join(chunks).decode()
    if said:
        code, number = (int(x) for x in said.split())
        info = ExitInfo(code=code, errno=number)
    elif os.WIFEXITED(status):
        info = ExitInfo(code=os.WEXITSTATUS(status))
    elif os.WIFSIGNALED(status):
        info = ExitInfo(signal=os.WTERMSIG(status))
    else:
        raise AssertionError("unreachable")
    finish(home, container, info.code if info.code is not None else 128 + info.signal)
    print(f"[mdock] {container} ended: {info}", file=sys.stdout)
    return info
