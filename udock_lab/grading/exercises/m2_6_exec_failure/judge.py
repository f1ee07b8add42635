"""M2.6: ``run(argv) -> ExitInfo``: the errno of a failed exec comes home through a close-on-exec pipe."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_6_exec_failure.requirements import REQUIREMENTS
from udock_lab.grading.submission import patience
from udock_lab.model import SandboxResult

__all__ = ["STORIES", "Trial", "info", "trial"]


# Runs each program through the learner's run and takes down what came back, one line a program; looks at the
# descriptors before each fork and at the end. A copy of this process that comes out of run says so and ends.
_TRIAL = """
import fcntl, json, os, signal, sys, time
__first = os.getpid()

class __Hung(BaseException):
    pass

def __too_long(number, frame):                    # a run that waits for something that will not come
    held = [fd for fd in __fds() if fd not in __before and fcntl.fcntl(int(fd), fcntl.F_GETFL) & os.O_ACCMODE]
    raise __Hung("holds" if held else "waits")

def __fds():
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            pass                                   # the listing's own
    return found

def __look():
    __channels.extend(link.partition(":")[0] for fd, link in __fds().items() if __before.get(fd) != link)

def __tell(*words):
    with open("said", "a") as file:
        file.write(json.dumps(words) + "\\n")

def __try(name, argv):
    signal.setitimer(signal.ITIMER_REAL, patience)
    try:
        made = run(argv)
        words = [type(made).__name__, list(made) if isinstance(made, tuple) else repr(made)]
    except __Hung as error:
        words = ["hung", str(error)]
    except BaseException as error:
        words = ["raised", f"{type(error).__name__}: {error}"]
    signal.setitimer(signal.ITIMER_REAL, 0)
    if os.getpid() != __first:
        __tell("copy", *words)
        os._exit(0)
    __tell(name, *words)
    return words[0] != "hung"

def __before_exec(event, arguments):
    if event != "os.exec" or os.getpid() == __first:
        return
    name = os.path.basename(os.fsdecode(arguments[0]))
    if name == "ends-before":
        os.kill(os.getpid(), number)
    elif name == "late":                           # as on a busy machine: the parent has to wait for the word
        time.sleep(late)

def __after_fork():
    if __now == "ends-at-once":
        os.kill(os.getpid(), number)

for __name, (__text, __mode) in files.items():
    with open(__name, "w") as __file:
        __file.write(__text)
    os.chmod(__name, __mode)
os.symlink("/no/such/target", "dangling")
os.symlink("loop", "loop")
os.mkdir("folder")
sys.addaudithook(__before_exec)
with open("callers-links", "w") as __file:
    for __fd in (1, 2):
        __file.write(os.readlink(f"/proc/self/fd/{__fd}") + "\\n")
__now, __before, __channels = "", __fds(), []
os.register_at_fork(before=__look, after_in_child=__after_fork)
signal.signal(signal.SIGALRM, __too_long)
for __name, __argv in programs:
    __now = __name
    if not __try(__name, [os.path.abspath(__argv[0]), *__argv[1:]]):
        break
try:
    __child = "a child still runs" if os.waitpid(-1, os.WNOHANG) == (0, 0) else "a zombie"
except ChildProcessError:
    __child = ""
__value__ = [sorted(set(__channels)), [link for fd, link in __fds().items() if fd not in __before], __child]
"""
LATE = 0.8  # seconds between fork and exec, once
_PRINTED = "printed by the program"
_WHERE_OUTPUT_GOES = 'links=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); echo "$links" > links'
PATIENCE = 2.5  # seconds for one run; it takes some hundredths
TIMEOUT = 12.0  # seconds for all of them
SIGNALS = (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGVTALRM)


class Trial(NamedTuple):
    """What came of a list of programs. ``said``: name to [type, value] of what run returned.

    ["raised", why] and ["hung", "holds" or "waits"] stand for a run that returned nothing.

    ``copies``: what came out of run in a child. ``channels``: kinds of the descriptors that were new at the
    fork. ``left``: descriptors that stayed open. ``child``: a child that nobody waited for, in words.
    """

    result: SandboxResult
    said: dict[str, list[Any]]
    copies: list[list[Any]]
    channels: list[str]
    left: list[str]
    child: str
    came_to_its_end: bool


def trial(
    bench: Bench, programs: list[tuple[str, list[str]]], files: dict[str, tuple[str, int]], number: int = 0
) -> Trial:
    """Call run for each program, (name, argv), in one sandbox; a relative ``argv[0]`` is made absolute.

    ``files``: name to (text, mode), made beforehand, beside ``dangling``, ``loop`` (links) and ``folder``.
    ``number``: the signal that ends the child of ``ends-before`` before its exec.
    """
    values = {"programs": programs, "files": files, "number": number, "patience": PATIENCE * patience(), "late": LATE}
    result = bench.play(_TRIAL, values=values, timeout=TIMEOUT)
    lines = [json.loads(line) for line in result.files.get("said", b"").decode(errors="replace").splitlines()]
    value = ev.seen_value(result)
    channels, left, child = value if isinstance(value, list) else ([], [], "")
    return Trial(
        result=result,
        said={line[0]: line[1:] for line in lines if line[0] != "copy"},
        copies=[line[1:] for line in lines if line[0] == "copy"],
        channels=channels,
        left=left,
        child=child,
        came_to_its_end=isinstance(value, list),
    )


def judge(bench: Bench) -> None:
    """Judge two stories: programs that start, and programs that cannot."""
    started, codes, number = _programs_that_start(bench)
    _hangs(bench, started)
    _ended(bench, started, codes, number)
    bench.hold("back", seen="it came back", by=_by(bench))  # a point only for who started something
    failed = _programs_that_do_not(bench)
    _missing(bench, failed)
    _found(bench, failed)
    _apart(bench, started)
    _asks(bench, failed)
    _pipe(bench, started, failed)
    _left(bench, started, failed)


def _programs_that_start(bench: Bench) -> tuple[Trial, list[int], int]:
    """Run programs that start; the first draws its own exit code, so that nobody can know it without running it."""
    number = int(random.choice(SIGNALS))
    draw = "read u < /proc/sys/kernel/random/uuid; code=$(( 0x${u%%-*} % 97 + 3 )); echo $code >> drawn; exit $code"
    shell = ["/bin/sh", "-c"]
    programs = [
        ("plain", [*shell, draw]),
        ("signal", [*shell, f"kill -{number} $$"]),
        ("ends-before", ["ends-before"]),
        ("127", [*shell, "exit 127"]),
        ("126", ["exits-126"]),
        ("ends-at-once", ["ends-before"]),
        ("prints", [*shell, f"echo 2; echo 2 >&2; echo {_PRINTED}; exit 127"]),
        ("fds", [*shell, "echo /proc/$$/fd/* > fds; " + _WHERE_OUTPUT_GOES]),
    ]
    files = {
        "ends-before": (f"#!/bin/sh\nkill -{number} $$\n", 0o755),
        "exits-126": ("#!/bin/sh\nexit 126\n", 0o755),
    }
    made = trial(bench, programs, files, number)
    drawn = made.result.files.get("drawn", b"").split()
    return made, [int(code) for code in drawn if code.isdigit()], number


def _programs_that_do_not(bench: Bench) -> Trial:
    programs = [
        ("missing", [f"/no/such/program-{random.randrange(10**6)}"]),
        ("closed", ["closed"]),
        ("folder", ["folder"]),
        ("no-format", ["no-format"]),
        ("no-interpreter", ["no-interpreter"]),
        ("dangling", ["dangling"]),
        ("late", ["late"]),
        ("again", ["no-such-thing"]),
    ]
    files = {
        "closed": ("#!/bin/sh\nexit 0\n", 0o644),
        "no-format": ("exit 0\n", 0o755),
        "no-interpreter": (f"#!/no/such/shell-{random.randrange(10**6)}\nexit 0\n", 0o755),
    }
    return trial(bench, programs, files)


def _hangs(bench: Bench, started: Trial) -> None:
    """Judge an end that never comes: the reader holds the pipe open itself."""
    hung = [words[1] for words in started.said.values() if words[0] == "hung"]
    if not hung and (started.came_to_its_end or started.result.ended_by != "timeout"):  # another failure is no waiting
        return
    holds = hung[:1] == ["holds"]
    held = "; your process still holds a pipe's write end itself" if holds else ""
    bench.fail(
        "back",
        expected="run comes back as soon as the program has ended",
        seen=f"it was still waiting after {PATIENCE:g} s{held}",
        looks_like="the parent kept its own write end of the pipe: its read waits for a word that only it could send."
        if holds
        else "",
        by=_by(bench),
    )


def _by(bench: Bench) -> str:
    return "effects" if any(note.startswith("Judged by effects") for note in bench.notes) else "kernel"


def _ended(bench: Bench, started: Trial, codes: list[int], number: int) -> None:
    expected = "os.fork() makes the process in which the program runs"
    if library := ev.library_calls(started.result):
        looks_like = (
            "a library that forks and execs inside; it has such a pipe, and this exercise is about building it."
        )
        bench.fail("ended", expected=expected, seen=f"{library[0]} did it for you", looks_like=looks_like)
    if not started.result.untraced and not ev.forks(started.result, started.result.parent.pid):
        became = started.result.parent.program
        seen = f"no fork; the process itself became {became}" if became else _nothing(started, "plain")
        bench.fail("ended", expected=expected, seen=seen)
    code = codes[0] if codes else -1
    if len(codes) > 1:
        seen, looks_like = (
            f"it was started {len(codes)} times",
            "a trial run: whatever the program does, it does twice.",
        )
        bench.fail("ended", expected="run starts the program once", seen=seen, looks_like=looks_like)
    for name, what, wanted in (
        ("plain", f"a program that exits with {code}", [code, None, None]),
        ("signal", f"a program that signal {number} ends", [None, number, None]),
        ("ends-before", f"a child that signal {number} ends before its exec", [None, number, None]),
        ("ends-at-once", f"a child that signal {number} ends as soon as it is there", [None, number, None]),
    ):
        _compare(bench, "ended", started, name, what, wanted)
    bench.hold("ended", seen=f"code {code}, then signal {number}", by=_by(bench))


def _nothing(tried: Trial, name: str) -> str:
    words = tried.said.get(name, [])
    if words[:1] == ["raised"]:
        return f"run raised {words[1]}"
    if words[:1] == ["hung"]:
        return f"run was still waiting after {PATIENCE:g} s"
    return ev.raised(tried.result) or tried.result.verdict


def _compare(bench: Bench, key: str, tried: Trial, name: str, what: str, wanted: list[int | None]) -> None:
    """Compare what run returned for one program with what the kernel says of it."""
    kind, got = tried.said.get(name, ["", ""])
    if kind == "ExitInfo" and got == wanted:
        return
    seen = f"you returned {info(got)}" if kind == "ExitInfo" else f"run returned {got}, of type {kind}"
    if kind in ("raised", "hung", ""):
        seen = _nothing(tried, name)
    looks_like = (
        _misread(got if isinstance(got, list) else [got, None, None], wanted) if kind not in ("raised", "hung") else ""
    )
    if kind == "raised" and key != "ended":
        looks_like = "raised in the caller. run says in its ExitInfo what happened, also if the exec failed."
    bench.fail(key, expected=f"{what}: {info(wanted)}", seen=seen, looks_like=looks_like, by=_by(bench))


def info(values: object) -> str:
    """Write an ExitInfo as the learner would."""
    if not isinstance(values, list) or len(values) != 3:
        return repr(values)
    named = zip(("code", "signal", "errno"), values, strict=True)
    return f"ExitInfo({', '.join(f'{name}={value}' for name, value in named if value is not None)})"


def _misread(got: list[Any], wanted: list[int | None]) -> str:
    """Return which number was taken for which, in words."""
    code, _, error = (*got, None, None, None)[:3]
    if wanted[2] is None and error == 0:
        return "0 for no error, as in C. Here nothing failed, so errno stays None."
    if wanted[2] is None and error is not None and code != wanted[0]:
        return "the program's own output taken for an errno. What it prints belongs to it."
    if wanted[2] is None and error is not None:
        return "an exit code taken for proof that the exec failed. Any program may exit with 127 or 126."
    if wanted[2] is not None and code == wanted[2]:
        return "the errno sent as the exit code: then nobody can tell it from a program that exits with that number."
    if wanted[2] is not None and error is None and code == 0:
        return "the child's error was swallowed, or another program was started in place of the refused one."
    if wanted[2] is not None and error is None:
        return "the errno stayed in the child. A failed exec raises nothing in the parent: each has its own memory."
    if wanted[2] is not None and error == wanted[2] and code != wanted[0]:
        return "127 says not found (ENOENT), 126 says found and not executable (every other errno)."
    if wanted[2] is not None and isinstance(error, int):
        shown = errno.errorcode.get(error, str(error))
        return f"{shown} ({os.strerror(error)}) for {errno.errorcode[wanted[2]]}: another number than execve gave."
    if wanted[1] is not None and code is not None:
        return "a process that a signal has ended has no exit code; ask WIFSIGNALED before WEXITSTATUS."
    if wanted[0] and code == wanted[0] << 8:
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    return ""


def _missing(bench: Bench, failed: Trial) -> None:
    if failed.copies:
        kind, words = failed.copies[0]
        came = words if kind == "raised" else f"the value {info(words)}"
        bench.fail(
            "missing",
            expected="one process returns from run",
            seen=f"a second process came out of run, with {came}",
            looks_like="the child ran past its branch. After a failed exec only os._exit ends it; sys.exit and raise "
            "carry it into your caller.",
            by=_by(bench),
        )
    if library := ev.library_calls(failed.result):
        seen = f"{library[0]} was asked for the errno"
        bench.fail("missing", expected="the errno of the execve in your child", seen=seen)
    _compare(bench, "missing", failed, "missing", "a program that is not there", [127, None, errno.ENOENT])
    words = failed.said.get("late", [])
    if words != ["ExitInfo", [127, None, errno.ENOENT]]:
        bench.fail(
            "missing",
            expected=f"the same where the child gets to its exec {LATE:g} s after the fork",
            seen=f"you returned {info(words[1])}" if words[:1] == ["ExitInfo"] else _nothing(failed, "late"),
            looks_like="silence for a while taken for success. Only the pipe's end of file says that the exec worked.",
            by=_by(bench),
        )
    bench.hold("missing", seen="execve = ENOENT in the child, ExitInfo(code=127, errno=2) from run", by=_by(bench))


def _found(bench: Bench, failed: Trial) -> None:
    for name, what, number in (
        ("closed", "a file without x permission", errno.EACCES),
        ("folder", "a folder", errno.EACCES),
        ("no-format", "an executable text without a #! line", errno.ENOEXEC),
    ):
        _compare(bench, "found", failed, name, what, [126, None, number])
    bench.hold("found", seen="EACCES and ENOEXEC arrived, each with code 126", by=_by(bench))


def _apart(bench: Bench, started: Trial) -> None:
    for name, what, code in (
        ("127", "a program that exits with 127", 127),
        ("126", "a program that exits with 126", 126),
        ("prints", "a program that prints 2 and exits with 127", 127),
    ):
        _compare(bench, "apart", started, name, what, [code, None, None])
    here, there = (started.result.files.get(name, b"").splitlines() for name in ("callers-links", "links"))
    turned = [name for name, a, b in zip(("output", "error"), here, there, strict=False) if a != b]
    if turned or started.result.stdout.count(_PRINTED) != 1:
        bench.fail(
            "apart",
            expected="what the program prints goes where it went before",
            seen=f"standard {turned[0]} is another file in the program"
            if turned
            else f"standard output got {started.result.stdout[:60]!r}",
            looks_like=f"standard {turned[0] if turned else 'output'} was turned elsewhere before the exec. It belongs "
            "to the program.",
            by=_by(bench),
        )
    bench.hold("apart", seen="execve = 0 and exit codes 127 and 126: no errno", by=_by(bench))


def _asks(bench: Bench, failed: Trial) -> None:
    for name, what in (
        ("no-interpreter", "a script whose interpreter is missing"),
        ("dangling", "a link to nothing"),
    ):
        _compare(bench, "asks", failed, name, what, [127, None, errno.ENOENT])
    bench.hold("asks", seen="ENOENT for a file that is there", by=_by(bench))


def _pipe(bench: Bench, started: Trial, failed: Trial) -> None:
    if not {"pipe", "socket"} & set(failed.channels):
        bench.fail(
            "pipe",
            expected="a pipe that is open when you fork, so that both processes have it",
            seen=f"new descriptors at the fork: {', '.join(failed.channels) or 'none'}",
            looks_like="another way home than a pipe. A file has to be named, shared and removed; nothing closes it.",
        )
    fds = {path.rpartition("/")[2] for path in started.result.files.get("fds", b"").decode().split()}
    more = sorted(fds - {"0", "1", "2"}, key=len)
    if len(more) != 1:  # one is the listing itself
        bench.fail(
            "pipe",
            expected="the program has the descriptors 0, 1 and 2",
            seen=f"it has {len(more) - 1} more",
            looks_like="a pipe that was made inheritable. Close-on-exec is what tells the parent that the exec worked.",
        )
    bench.hold("pipe", seen="a pipe before the fork, and the program has 0, 1 and 2")


def _left(bench: Bench, started: Trial, failed: Trial) -> None:
    for tried, when in ((started, "programs that started"), (failed, "programs that did not start")):
        expected = f"no child and no descriptor left after {len(tried.said)} {when}"
        if tried.child:
            looks_like = "a way out of run on which nobody waits: a child whose exec failed is a child too."
            bench.fail("left", expected=expected, seen=f"{tried.child} is left", looks_like=looks_like, by=_by(bench))
        if tried.left:
            kinds = sorted({link.partition(":")[0] for link in tried.left})
            seen = f"{len(tried.left)} open descriptors are left ({', '.join(kinds)})"
            looks_like = "an end of the pipe that the parent never closes; a caller that runs for long has none left."
            bench.fail("left", expected=expected, seen=seen, looks_like=looks_like, by=_by(bench))
    bench.hold("left", seen=f"{len(started.said) + len(failed.said)} runs, no child and no descriptor left")


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
