"""M2.7: the smallest program in which each requirement is seen to fail, in a home such as the check builds."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.exitinfo import ExitInfo
from udock_lab.grading.reproduction import reproduces

__all__ = ["REPRODUCTIONS"]

Run = Callable[[str, str, list[str]], ExitInfo]


@reproduces(
    "missing",
    right="raised a LookupError: True\nits words: Image {quoted} not found\nforks: 0\nthe table is as it was: True",
    wanted={"quoted": "'nosuch'"},
    tries=(
        {"name": "emo", "quoted": "'emo'"},
        {"name": "demo23", "quoted": "'demo23'"},
        {"name": "Demo", "quoted": "'Demo'"},
        {"name": "demo ", "quoted": "'demo '"},
        {"name": "it's", "quoted": "'it's'"},
    ),
)
def missing(run: Run, *, name: str = "nosuch") -> None:
    import sys

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    home = Home("home", "demo", "")  # a folder with both tables, and an image that has a shell
    called = []

    def note(event: str, _: object) -> None:  # Python says what it is about to do (sys.addaudithook)
        called.append(event)

    sys.addaudithook(note)
    try:
        print("run returned", run(home.path, name, ["/bin/sh", "-c", "exit 42"]))
    except Exception as error:
        print("raised a LookupError:", isinstance(error, LookupError) or type(error).__name__)
        print("its words:", error.args[0])
    print("forks:", called.count("os.fork"))
    print("the table is as it was:", home.content() == "")


@reproduces(
    "inside",
    right="its root is the image's: True\nits working directory is its root: True\nits parent is the caller: True",
)
def inside(run: Run) -> None:
    import os
    from pathlib import Path

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    home = Home("home", "demo", "")  # a folder with both tables, and an image that has a shell
    look = "test . -ef / && here=yes; echo $PPID $here > /etc/seen"
    run(home.path, "demo", ["/bin/sh", "-c", look])
    seen = Path(f"{home.root}/etc/seen")
    print("its root is the image's:", seen.exists())
    print("its working directory is its root:", "yes" in seen.read_text())
    print("its parent is the caller:", seen.read_text().split()[0] == f"{os.getpid()}")


@reproduces("phase1", right="c8 demo running ['', ''] its pid: True its start: True", seconds=10.0)
def phase1(run: Run) -> None:
    import os
    import re
    import sys
    import time
    from pathlib import Path

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    old = "c7|4711|demo|exited|2026-01-01T10:00:00|2026-01-01T10:00:01|0\n"
    home = Home("home", "demo", old)  # a folder with both tables, and an image that has a shell
    runner = os.fork()
    if runner == 0:
        me = os.getpid()
        sys.settrace(lambda *_: time.sleep(0.005) if os.getpid() == me else None)  # a slow caller, on a busy machine
        run(home.path, "demo", ["/bin/sh", "-c", "echo $$ > here; until test -e go; do :; done"])
        os._exit(0)
    here = Path(f"{home.root}/here")
    for _ in range(500):
        time.sleep(0.01)
        if here.exists() and here.read_text().endswith("\n"):
            break
    table, pid = home.content(), here.read_text().strip()  # the program has begun
    Path(f"{home.root}/go").touch()
    os.waitpid(runner, 0)
    fields = table.removeprefix(old).strip("\n").split("|")
    start = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", fields[4]) is not None
    print(fields[0], fields[2], fields[3], fields[5:], "its pid:", fields[1] == pid, "its start:", start)


@reproduces(
    "ends",
    right="ExitInfo(code={code}, signal={signal}, errno={errno})\nthe caller's other child: 99",
    wanted={"code": 42, "signal": None, "errno": None},
    tries=(
        {"argv": ["/bin/sh", "-c", "kill -15 $$"], "code": None, "signal": 15},
        {"argv": ["/bin/sh", "-c", "kill -35 $$"], "code": None, "signal": 35},
        {"argv": ["/no-such-program"], "code": 127, "errno": 2},
        {"argv": ["/etc/passwd"], "code": 126, "errno": 13},
        {"argv": ["/etc/passwd/sh"], "code": 126, "errno": 20},
        {"argv": ["/bin/sh", "-c", "exit 127"], "code": 127},
        {"argv": ["/bin/sh", "-c", "exit 0"], "code": 0},
    ),
)
def ends(run: Run, *, argv: list[str] = ["/bin/sh", "-c", "exit 42"]) -> None:
    import os

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    home = Home("home", "demo", "")  # a folder with both tables, and an image that has a shell
    me, other = os.getpid(), os.fork()
    if other == 0:
        os._exit(99)  # a child of the caller, which is the caller's to wait for
    os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
    try:
        info = run(home.path, "demo", argv)
    finally:
        if os.getpid() != me:
            os.write(1, b"a second process came out of run\n")
            os._exit(0)
    print(info)
    print("the caller's other child:", os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]))


@reproduces(
    "phase2",
    right="c8 demo exited code {code}, times as they should be: True",
    wanted={"code": 42},
    tries=(
        {"argv": ["/bin/sh", "-c", "kill -9 $$"], "code": 137},
        {"argv": ["/no-such-program"], "code": 127},
        {"argv": ["/etc/passwd"], "code": 126},
        {"argv": ["/bin/sh", "-c", "exit 0"], "code": 0},
    ),
)
def phase2(run: Run, *, argv: list[str] = ["/bin/sh", "-c", "exit 42"]) -> None:
    import re

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    old = "c7|4711|demo|exited|2026-01-01T10:00:00|2026-01-01T10:00:01|0\n"
    home = Home("home", "demo", old)  # a folder with both tables, and an image that has a shell
    run(home.path, "demo", argv)
    fields = home.content().removeprefix(old).strip("\n").split("|")
    times = [bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", time)) for time in fields[4:6]]
    print(*fields[:1], *fields[2:4], f"code {fields[6]}, times as they should be:", times == [True, True])


@reproduces(
    "whole",
    right="the lines of others are as they were: True\nanother file has the table's name: True",
    tries=(
        {"old": "half a line|\n\n\xff\xfe no text, and no \r end \x0c|\nc2|4002|demo|running|2024-03-01T10:00:00||\n"},
    ),
)
def whole(run: Run, *, old: str = "c7|4711|demo|running|2026-01-01T10:00:00||\n") -> None:
    import os
    import threading
    import time

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    home = Home("home", "demo", old)  # a folder with both tables, and an image that has a shell
    before = os.stat(home.table).st_ino
    another = "c70|4800|demo|running|2026-01-01T10:00:00||\n"
    if os.fork() == 0:  # somebody else adds a line while the program runs
        while not os.path.exists(f"{home.root}/here"):
            time.sleep(0.01)
        home.add(another)
        open(f"{home.root}/go", "w").close()
        os._exit(0)
    end = threading.Timer(2, open, (f"{home.root}/go", "w"))
    end.start()
    run(home.path, "demo", ["/bin/sh", "-c", "echo > here; until test -e go; do :; done"])
    end.cancel()
    lines = home.content().split("\n")
    kept = [line for line in (old + another).split("\n")[:-1] if line not in lines]
    print("the lines of others are as they were:", kept == [] or kept)
    print("another file has the table's name:", os.stat(home.table).st_ino != before)


@reproduces("ids", right="c11\nfive at once: ['c12', 'c13', 'c14', 'c15', 'c16']", tries=({},))
def ids(run: Run) -> None:
    import os

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    end = "2026-01-01T10:00:01"
    old = [f"c{n}|4711|demo|exited|2026-01-01T10:00:00|{end}|0\n" for n in (10, 9)] + ["c9990|77|torn\n", "half\n"]
    home = Home("home", "demo", "".join(old))  # a folder with both tables, and an image that has a shell
    run(home.path, "demo", ["/bin/sh", "-c", "exit 0"])
    new = home.content().splitlines()[len(old) :]
    print(*(line.split("|")[0] for line in new))
    for _ in range(5):
        if os.fork() == 0:
            run(home.path, "demo", ["/bin/sh", "-c", "exit 0"])
            os._exit(0)
    for _ in range(5):
        os.wait()
    lines = [line.split("|") for line in home.content().splitlines()[len(old) + 1 :]]
    complete = [fields[0] for fields in lines if len(fields) == 7 and fields[3] == "exited"]
    print("five at once:", sorted(complete))


@reproduces("clean", right="a PATH\nexit 0")
def clean(run: Run) -> None:
    import os
    import sys

    from udock_lab.grading.exercises.m2_7_mdock_run.stage import Home

    home = Home("home", "demo", "")  # a folder with both tables, and an image that has a shell
    for name in ("HOME", "LANG", "LOGNAME", "SHELL", "TERM", "TOKEN", "USER"):
        os.environ[name] = "the-callers"
    variables = (
        "export -p > all; while read line; do case $line in *the-callers*) echo $line;; *' PATH='*) echo a PATH;; esac"
    )
    descriptors = "for fd in 3 4 5 6 7 8 9; do (: >&$fd) 2> all && echo descriptor $fd is open; done"
    sys.stdout.flush()
    info = run(home.path, "demo", ["/bin/sh", "-c", f"{variables}; done < all; {descriptors}; exit 0"])
    print("exit", info.code)


REPRODUCTIONS = (missing, inside, phase1, ends, phase2, whole, ids, clean)
