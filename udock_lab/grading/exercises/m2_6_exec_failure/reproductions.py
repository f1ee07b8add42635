"""M2.6: the smallest program in which each requirement is seen to fail."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.exitinfo import ExitInfo
from udock_lab.grading.reproduction import reproduces

__all__ = ["REPRODUCTIONS"]

Run = Callable[[list[str]], ExitInfo]


@reproduces("back", right="run has come back", tries=({"argv": ["/bin/sh", "-c", "kill -9 $$"]},), seconds=3.0)
def back(run: Run, *, argv: list[str] = ["/bin/sh", "-c", "exit 42"]) -> None:
    run(argv)
    print("run has come back")


@reproduces(
    "ended",
    right="ExitInfo(code={code}, signal={signal}, errno=None)\nits parent is the caller: True\nthe other child: 99",
    wanted={"code": 42, "signal": None},
    tries=(
        {"end": "sleep 0.3; exit 3", "code": 3},
        {"end": "kill -9 $$", "code": None, "signal": 9},
        {"end": "ulimit -c unlimited; kill -11 $$", "code": None, "signal": 11},
        {"end": "exit 0", "code": 0},
    ),
)
def ended(run: Run, *, end: str = "exit 42") -> None:
    import os
    from pathlib import Path

    other = os.fork()  # a child of the caller, which is the caller's to wait for
    if other == 0:
        os._exit(99)
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    info = run(["/bin/sh", "-c", f"echo $PPID >> parent; {end}"])
    print(info)
    print("its parent is the caller:", Path("parent").read_text() == f"{os.getpid()}\n")
    print("the other child:", os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]))


@reproduces(
    "missing",
    right="ExitInfo(code=127, signal=None, errno=2)",
    tries=({"path": "sh"}, {"path": "./no-such-thing"}, {"late": 0.6}),
)
def missing(run: Run, *, path: str = "/no/such/program", late: float = 0.0) -> None:
    import os
    import time

    me = os.getpid()
    if late:  # a child that gets to its exec late
        os.register_at_fork(after_in_child=lambda: time.sleep(late))
    try:
        info = run([path])
    finally:
        if os.getpid() != me:
            os.write(1, b"a second process came out of run\n")
            os._exit(0)
    print(info)


@reproduces(
    "found",
    right="ExitInfo(code=126, signal=None, errno={number})",
    wanted={"number": 13},
    tries=({"path": "./closed"}, {"path": "./no-format", "number": 8}, {"path": "./closed/inside", "number": 20}),
)
def found(run: Run, *, path: str = "./folder") -> None:
    import os
    from pathlib import Path

    os.mkdir("folder")
    Path("closed").write_text("#!/bin/sh\nexit 0\n")  # without the x permission
    Path("no-format").write_text("exit 0\n")
    Path("no-format").chmod(0o755)
    me = os.getpid()
    try:
        info = run([path])
    finally:
        if os.getpid() != me:
            os.write(1, b"a second process came out of run\n")
            os._exit(0)
    print(info)


@reproduces(
    "apart",
    right="2\nExitInfo(code={code}, signal=None, errno=None)",
    tries=({"code": 126},),
)
def apart(run: Run, *, code: int = 127) -> None:
    info = run(["/bin/sh", "-c", f"echo 2; exit {code}"])
    print(info)


@reproduces(
    "asks",
    right="ExitInfo(code=127, signal=None, errno=2)\na child has tried: True",
    tries=({"path": "./dangling"},),
)
def asks(run: Run, *, path: str = "./no-interpreter") -> None:
    import os
    import sys
    from pathlib import Path

    Path("no-interpreter").write_text("#!/no/such/shell\nexit 0\n")
    Path("no-interpreter").chmod(0o755)
    os.symlink("nothing", "dangling")
    me, called = os.getpid(), []

    def note(event: str, _: object) -> None:  # Python says what it is about to do (sys.addaudithook)
        called.append(event)

    sys.addaudithook(note)
    try:
        info = run([path])
    finally:
        if os.getpid() != me:
            os.write(1, b"a second process came out of run\n")
            os._exit(0)
    print(info)
    print("a child has tried:", "os.fork" in called)


@reproduces("pipe", right="0\n1\n2\n3\nfiles that were opened to be written: []\npipes before the fork: True")
def pipe(run: Run) -> None:
    import os
    import sys

    files, forked, before = [], [], len(os.listdir("/proc/self/fd"))

    def note(event: str, details: tuple[object, ...]) -> None:  # Python says what it is about to do (sys.addaudithook)
        if event == "open" and int(str(details[2])) & (os.O_WRONLY | os.O_RDWR):
            files.append(details[0])
        elif event == "os.fork":
            forked.append(len(os.listdir("/proc/self/fd")) - before)

    sys.addaudithook(note)
    run(["/bin/ls", "/proc/self/fd"])  # the fourth one is the folder, which ls has open itself
    print("files that were opened to be written:", files)
    print("pipes before the fork:", bool(forked) and forked[0] >= 2)


@reproduces("left", right="descriptors left open: 0\nchildren left: 0", tries=({"argv": ["/bin/true"]},))
def left(run: Run, *, argv: list[str] = ["/no/such/program"]) -> None:
    import os

    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        run(argv)
    print("descriptors left open:", len(os.listdir("/proc/self/fd")) - before)
    children = 0
    try:
        while os.waitpid(-1, os.WNOHANG):
            children += 1
            if children == 5:
                break
    except ChildProcessError:
        pass  # there is none any more
    print("children left:", children)


REPRODUCTIONS = (back, ended, missing, found, apart, asks, pipe, left)
