"""M2.1: the smallest program in which each requirement is seen to fail."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.grading.exitinfo import ExitInfo
from udock_lab.grading.reproduction import reproduces

__all__ = ["REPRODUCTIONS"]

Launch = Callable[[list[str]], ExitInfo]


@reproduces("starts", right="parent: os.fork\nchild: os.exec\n...")
def starts(launch: Launch) -> None:
    import os
    import sys

    me, library = os.getpid(), os.path.dirname(os.__file__)

    def tell(event: str, _: object) -> None:  # Python itself says what is about to be called (sys.addaudithook)
        if event in ("os.fork", "os.exec", "os.posix_spawn", "os.system", "subprocess.Popen"):
            by = sys._getframe(1).f_code.co_filename
            by = f" by the library's {os.path.basename(by)}" if by.startswith(library) else ""
            os.write(1, f"{'parent' if os.getpid() == me else 'child'}: {event}{by}\n".encode())

    sys.addaudithook(tell)
    print("launch returned", launch(["/bin/true"]))


@reproduces(
    "becomes",
    right="it is the file argv[0]: True\nit got all words: True\nits parent is the caller: True",
    tries=({"words": ["two  words", "*", "$HOME"]}, {"words": [" blanks around ", "", "two\nlines", "déjà vu"]}),
)
def becomes(launch: Launch, *, words: list[str] = ["one", "two words"]) -> None:
    import os
    import shutil
    from pathlib import Path

    os.mkdir("a folder")
    shutil.copy("/bin/sh", "a folder/sh")
    look = "readlink /proc/$$/exe >> file; cat /proc/$$/cmdline >> words; echo $PPID >> parent; exit 1"
    argv = ["./a folder/sh", "-c", look, *words]
    launch(argv)
    file, got, parent = (Path(name).read_text() for name in ("file", "words", "parent"))
    print("it is the file argv[0]:", file == os.path.abspath(argv[0]) + "\n" or file)
    print("it got all words:", got.split("\0")[:-1] == argv or got.split("\0"))
    print("its parent is the caller:", parent == f"{os.getpid()}\n")


@reproduces(
    "code",
    right="ExitInfo(code={code}, signal=None, errno=None)",
    wanted={"code": 42},
    tries=(
        {"script": "sleep 2; exit 42"},
        {"script": "(sleep 0.2; kill -CONT $$) & kill -STOP $$; exit 42"},
        {"script": "exit 0", "code": 0},
    ),
)
def code(launch: Launch, *, script: str = "exit 42") -> None:
    print(launch(["/bin/sh", "-c", script]))


@reproduces(
    "signal",
    right="ExitInfo(code=None, signal={number}, errno=None)",
    tries=({"number": 15}, {"number": 1}, {"number": 6}, {"number": 11}, {"number": 35}, {"number": 64}),
)
def signal(launch: Launch, *, number: int = 9) -> None:
    print(launch(["/bin/sh", "-c", f"ulimit -c unlimited; kill -{number} $$; exit 77"]))


@reproduces(
    "own",
    right="ExitInfo(code=42, signal=None, errno=None)\nthe other child's end: {end}",
    wanted={"end": 99},
    tries=({"seconds": 60, "end": 0},),
)
def own(launch: Launch, *, seconds: int = 0) -> None:
    import os
    import time

    other = os.fork()
    if other == 0:
        time.sleep(seconds)
        os._exit(99)
    if seconds == 0:
        os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has waited for it
    print(launch(["/bin/sh", "-c", "sleep 0.1; exit 42"]))
    print("the other child's end:", os.waitstatus_to_exitcode(os.waitpid(other, os.WNOHANG)[1]))


@reproduces(
    "stays",
    right="code 127: True\na child has tried: True",
    tries=({"path": "./no-program"}, {"path": "./not-executable"}, {"path": "./folder"}),
)
def stays(launch: Launch, *, path: str = "/no/such/program") -> None:
    import os
    import sys
    from pathlib import Path

    Path("no-program").write_text("exit 3\n")
    Path("no-program").chmod(0o755)
    Path("not-executable").write_text("#!/bin/sh\n")
    os.mkdir("folder")
    me, called = os.getpid(), []
    sys.addaudithook(lambda event, _: called.append(event) if event[:3] == "os." else None)
    try:
        info = launch([path])
    finally:
        if os.getpid() != me:
            os.write(1, b"a second process came out of launch\n")
            os._exit(0)
    codes = (127, 126) if os.path.exists(path) else (127,)
    print("code 127:", (info.code in codes and info.signal is None) or info)
    print("a child has tried:", "os.fork" in called)


@reproduces("many", right="answers that are wrong: 0", wanted={"stay": []}, shrinks="programs")
def many(
    launch: Launch,
    *,
    programs: list[tuple[str, str]] = [
        *((f"sleep 0.1; exit {code}", f"{code} None") for code in range(11, 19)),
        ("kill -9 $$", "None 9"),
        ("/no/such/program", "127 None"),
    ],
) -> None:
    import os

    for script, end in programs:  # all at once, each from a process of its own
        if os.fork() == 0:
            right = False
            try:
                info = launch([script] if script[0] == "/" else ["/bin/sh", "-c", script])
                right = f"{info.code} {info.signal}" == end
                os.waitpid(-1, os.WNOHANG)
                right = False  # launch has left a child behind
            except ChildProcessError:
                pass  # there is none, as it should be
            finally:
                os._exit(0 if right else 1)
    ends = [os.waitpid(-1, 0)[1] for _ in programs]
    print("answers that are wrong:", len(ends) - ends.count(0))


REPRODUCTIONS = (starts, becomes, code, signal, own, stays, many)
