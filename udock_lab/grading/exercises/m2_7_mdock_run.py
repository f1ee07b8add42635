"""M2.7, the capstone: ``run(home, image, argv) -> ExitInfo``, a small ``mdock run`` on a real root file system."""

from __future__ import annotations

import errno
import json
import random
import signal
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise, Stop
from udock_lab.grading.exercises.m2_6_exec_failure import info
from udock_lab.model import Record, Requirement, SandboxResult, Status
from udock_lab.runtime.containers import parse_record

__all__ = ["EXERCISE", "STAGE", "Story", "play"]

REQUIREMENTS = (
    Requirement(
        key="missing",
        name="an image that images.db does not have: LookupError(\"Image 'NAME' not found\"), no process, no record",
        points=1,
        lesson='m2_5_image_lookup, "Action"',
        hints=(
            "What must you know before there is any use in a fork?",
            "Look the image up first: split each line at |, take three fields, compare the first one whole.",
        ),
    ),
    Requirement(
        key="inside",
        name="the program runs in a child made with os.fork; its root and its working directory are the image's",
        points=1,
        lesson='m2_2_chroot_permissions, "Action"',
        hints=(
            "Which three calls does the child make, and in which order?",
            'os.chdir(rootfs); os.chroot("."); os.execve(...), all of it in the child.',
        ),
    ),
    Requirement(
        key="phase1",
        name="a record that says running, with the program's pid, stands before the program's first instruction",
        points=1,
        lesson='m2_4_metadata, "Action"',
        hints=(
            "fork lets both go on at once. What holds the child back until the parent has written?",
            "A pipe as a gate: the child reads from it first of all, the parent writes into it after the record.",
        ),
    ),
    Requirement(
        key="ends",
        name="run returns how it ended: code, signal, and code 127 or 126 with errno where exec failed",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "This is run from exercise m2_6. Which of your descriptors must be closed before the parent reads?",
            "One close-on-exec pipe for the errno, one as the gate; the parent closes the ends that are the child's.",
        ),
    ),
    Requirement(
        key="phase2",
        name="the record is completed: exited, both times, and the exit code (128 + n for signal n)",
        points=1,
        lesson='m2_4_metadata, "Task"',
        hints=(
            "Which fields of the line are empty while the program runs?",
            "id|pid|image|exited|start|end|code: the start stays, the end is now, a signal n is written as 128 + n.",
        ),
    ),
    Requirement(
        key="whole",
        name="every other line stays, byte for byte, and the completed table takes the old one's place by rename",
        points=1,
        lesson='m2_4_metadata, "Three ways to change a table"',
        hints=(
            "What does a reader see between open(path, 'w') and the write?",
            "Write all lines to a new file in the same folder, close it, os.replace it over the old one.",
        ),
    ),
    Requirement(
        key="ids",
        name="the id is c and the highest number in the file + 1; ten runs at once get ten ids and complete records",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
        hints=(
            "Between reading the highest id and writing the record somebody else may read. What keeps them out?",
            "flock on a lock file of its own, opened by each run, around every read-then-write of the table.",
        ),
    ),
    Requirement(
        key="clean",
        name="the program gets a PATH, none of the caller's variables, and no descriptor beyond 0, 1 and 2",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
        hints=(
            "Where does a program's environment come from? Three of the exec functions take it as an argument.",
            'os.execve(argv[0], argv, {"PATH": "/bin:/usr/bin"}); and leave descriptors as Python makes them.',
        ),
    ),
)

# A home with two images, a record table with a history, and root file systems in which a shell really starts.
# What the learner's run does happens in workers, children of this process; what the kernel knows of the program is
# asked from here while it waits in front of a pipe.
STAGE = """
import fcntl, json, os, shutil, signal, sys, time
from udock_lab.linux.elf import inspect_elf, libraries
__first = os.getpid()
home = os.path.abspath("home")

def __put(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(data)
    os.chmod(path, mode)

def __take(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""

def __rootfs(name, twin=""):
    root = f"{home}/images/{name}/rootfs"
    elf = inspect_elf("/bin/sh")
    loader = [elf.interpreter] if elf and elf.interpreter else []
    for path in ["/bin/sh", *loader, *(path for _, path in libraries("/bin/sh").found)]:
        os.makedirs(os.path.dirname(root + path), exist_ok=True)
        if twin and not os.path.exists(root + path):
            os.link(twin + path, root + path)
        elif not twin:
            shutil.copy(os.path.realpath(path), root + path)
    return root

def __open(path, flags):
    "Far from the numbers that the learner's descriptors get."
    fd = os.open(path, flags, 0o644)
    high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 300)
    os.close(fd)
    return high

def __work(name, image, argv, slow=None):
    "A worker calls run and says what came of it; a copy of the worker that comes out of run says so too."
    worker = os.fork()
    if worker:
        return worker
    forks, me = [], os.getpid()
    said = __open(f"said-{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)    # now: a copy may be in another root
    def count():
        if os.getpid() == me:
            forks.append(1)
    os.register_at_fork(before=count)
    if slow:
        slow(me, forks)
    try:
        made = run(home, image, argv)
        words = [type(made).__name__, list(made) if isinstance(made, tuple) else repr(made)]
    except BaseException as error:
        kind = "LookupError" if isinstance(error, LookupError) else type(error).__name__
        words = ["raised", kind, str(error.args[0] if error.args and kind == "LookupError" else error)]
    try:
        os.write(said, (json.dumps([os.getpid() == me, len(forks), *words]) + "\\n").encode())
    finally:
        os._exit(0)

def __until(holds, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.005)
    return False

def __gone(worker):
    return os.waitid(os.P_PID, worker, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

def __finish(worker, seconds=4):
    "False if it had to be killed."
    there = __until(lambda: __gone(worker), seconds)
    if not there:
        os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    return there

def __open_gate(code):
    os.write(__gate, f"{code}\\n".encode())

def __may_chroot():
    pid = os.fork()
    if pid == 0:
        try:
            os.chroot("/")
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0

def __where(link):
    try:
        found = os.stat(link)
    except OSError as error:
        return str(error)
    for name, path in (("the image", __root), ("another image", __other), ("the host's /", "/")):
        there = os.stat(path)
        if (found.st_dev, found.st_ino) == (there.st_dev, there.st_ino):
            return name
    try:
        return os.readlink(link)
    except OSError as error:
        return str(error)

def __look(pid):
    "What the kernel says of the waiting program."
    fds = set(range(10))                          # from 10 on they are the shell's own
    for _ in range(3):                            # what it opens in passing is not there each time
        fds &= {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
        time.sleep(0.02)
    with open(f"/proc/{pid}/environ", "rb") as file:
        variables = file.read().decode(errors="replace").split("\\0")
    parent = int(__take(f"/proc/{pid}/stat").rpartition(")")[2].split()[1])
    return {"root": __where(f"/proc/{pid}/root"), "cwd": __where(f"/proc/{pid}/cwd"), "fds": sorted(fds),
            "variables": [word for word in variables if word], "parent": parent}

for __folder in ("images", "run"):
    os.makedirs(f"{home}/{__folder}", exist_ok=True)
__root = __rootfs(image)
__other = __rootfs(image + "2", __root)
__rows = [(image + "2", __other), (image.upper(), __other), (image, __root), (image, __other)]
__put(f"{home}/images.db", f"{image}|half a line\\n" + "".join(f"{n}|{p}|2024-03-01T10:00:00\\n" for n, p in __rows))
__put(f"{home}/containers.db", history)
os.mkfifo(f"{__root}/gate")
__gate = __open(f"{__root}/gate", os.O_RDWR)     # both ways (fifo(7)): opening it waits for nobody
__put(f"{__root}/not-executable", "exit 0", 0o644)
os.environ["UDOCK_TOKEN"] = "the caller's own"
"""
GATED = "echo $$ > started; read code < gate; exit $code"
MAIN = """
def __slow(me, forks):
    "The parent waits at its first open after the fork, until the child waits in front of a pipe or the program begins."
    waited = []
    def begun():
        if os.path.exists(f"{__root}/started"):
            return True
        for child in __take(f"/proc/self/task/{me}/children").split():
            if "pipe" in __take(f"/proc/{child}/wchan"):
                return True
        return False
    def pause(event, arguments):
        if event == "open" and forks and not waited and os.getpid() == me and home in str(arguments[0]):
            waited.append(1)
            __until(begun, 1.0)
            if os.path.exists(f"{__root}/started"):   # it was not held back: let that be seen
                __until(lambda: os.path.exists("looked"), 3)
    sys.addaudithook(pause)

def __story():
    yield "may chroot", __may_chroot()
    worker = __work("missing", absent, ["/bin/sh"])
    yield "missing came back", __finish(worker)
    yield "after missing", __take(f"{home}/containers.db")
    worker = __work("gated", image, ["/bin/sh", "-c", gated], __slow)
    __until(lambda: __take(f"{__root}/started").endswith("\\n") or __gone(worker), 4)
    table = __open(f"{home}/containers.db", os.O_RDONLY)
    size = os.fstat(table).st_size
    before = os.pread(table, size, 0).decode()
    yield "while it runs", before
    pid = __take(f"{__root}/started").strip()
    yield "pid", pid
    if pid:
        yield "worker", worker
        yield "kernel", __look(int(pid))
    elif os.path.exists(f"{__other}/started"):
        yield "began", "in another image"
    elif os.path.exists("started"):
        yield "began", "in the caller's working directory"
    os.close(__open("looked", os.O_CREAT))
    __open_gate(code)
    came_back = __finish(worker)
    yield "gated came back", came_back
    yield "in place", os.pread(table, size + 4096, 0).decode() != before
    yield "after it", __take(f"{home}/containers.db")
    for name, argv in others:
        if not came_back:
            break
        came_back = __finish(__work(name, image, argv))
        yield f"{name} came back", came_back
        yield f"after {name}", __take(f"{home}/containers.db")

__value__ = {}
for __key, __said in __story():
    __value__[__key] = __said
"""
TEN = """
__ready, __go = os.pipe()
def __at_once(me, forks):
    "Each open of the table and each rename takes a moment longer, so that whoever may be overtaken is."
    def pause(event, arguments):
        if event in ("open", "os.rename") and "containers" in str(arguments[0]):
            time.sleep(0.02 if event == "os.rename" else 0.01)
    sys.addaudithook(pause)
    os.close(__go)
    os.read(__ready, 1)
    os.close(__ready)
    time.sleep(0.03 * max(0, len(__workers) - 4))      # five together, five while those are at work

__workers = []
__programs = [(f"many-{number}", ["/bin/sh", "-c", f"exit {number + 3}"]) for number in range(10)]
for __name, __argv in __programs:
    __workers.append(__work(__name, image, __argv, __at_once))
os.close(__ready)
os.close(__go)
__back = [__finish(worker, 10) for worker in __workers]
__value__ = {"all came back": all(__back), "table": __take(f"{home}/containers.db")}
"""
TIMEOUT = 40.0  # seconds; a run takes some hundredths of one


class Story(NamedTuple):
    """What a scenario brought home: ``value`` by the names that STAGE's stories use, ``said`` by each worker."""

    result: SandboxResult
    value: dict[str, Any]
    said: dict[str, list[list[Any]]]
    image: str
    history: str


def play(bench: Bench, story: str, **values: object) -> Story:
    """One home, one story. Each worker's lines: [is it the worker itself?, forks, type or "raised", value...]."""
    image = f"img{random.randrange(1000)}"
    history = _history()
    given = {"image": image, "history": history, "gated": GATED, **values}
    result = bench.play(STAGE + story, values=given, timeout=TIMEOUT)
    said = {
        name.removeprefix("said-"): [json.loads(line) for line in text.decode(errors="replace").splitlines()]
        for name, text in result.files.items()
        if name.startswith("said-")
    }
    value = ev.seen_value(result)
    return Story(result, value if isinstance(value, dict) else {}, said, image, history)


def _history() -> str:
    """Ids out of order, a number that string order gets wrong, lines that are no records."""
    highest = random.randrange(10, 40)
    rows = [
        f"c{number}|{4000 + number}|other|exited|2024-03-01T10:00:00|2024-03-01T10:00:01|0"
        for number in (9, highest, 2)
    ]
    return (
        "\n".join([rows[0], "half a line|", rows[1], "", "c7 | 77 | other | exited | then | later | 1", rows[2]]) + "\n"
    )


def judge(bench: Bench) -> None:
    """Two stories: a few programs one by one, the first held at a gate; ten at once."""
    code, number = random.randrange(3, 120), int(random.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1)))
    shell = ["/bin/sh", "-c"]
    others = [
        ("signal", [*shell, f"kill -{number} $$"]),
        ("no-file", ["./no-such-program"]),
        ("closed", ["./not-executable"]),
        ("127", [*shell, "exit 127"]),
    ]
    absent = f"nosuch{random.randrange(1000)}"
    story = play(bench, MAIN, code=str(code), others=others, absent=absent)
    if not story.value:
        bench.fail("missing", expected="run comes back", seen=ev.raised(story.result) or story.result.verdict)
    _missing(bench, story, absent)
    _inside(bench, story)
    _phase_one(bench, story)
    _ends(bench, story, code, number)
    _phase_two(bench, story, code, number)
    _whole(bench, story)
    _ten(bench)
    _clean(bench, story)


def _missing(bench: Bench, story: Story, absent: str) -> None:
    wanted = f"Image '{absent}' not found"
    expected = f'LookupError("{wanted}")'
    own, forks, *words = _said(story, "missing")
    if words != ["raised", "LookupError", wanted]:
        looks_like = ""
        if words[0] != "raised" and own:
            looks_like = "an image that is not there is the caller's mistake, and the caller has to hear of it."
        bench.fail("missing", expected=expected, seen=_words(words), looks_like=looks_like)
    if forks or story.value["after missing"] != story.history:
        done = "a process was made" if forks else "containers.db was changed"
        looks_like = "the lookup comes first: what is not there needs no process and no record."
        bench.fail("missing", expected="no process, no record", seen=done, looks_like=looks_like)
    bench.hold("missing", seen=f"{expected}, no fork, and containers.db as it was")


def _said(story: Story, name: str) -> list[Any]:
    """The worker's own line; where there is none, what is known instead."""
    own = [line for line in story.said.get(name, []) if line[0]]
    if own:
        return own[0]
    hung = not story.value.get(f"{name} came back", True)
    return [True, 0, "hung", "run did not come back" if hung else "the process that called run ended inside it"]


def _words(words: list[Any]) -> str:
    kind, *rest = words
    if kind == "raised":
        return f"run raised {rest[0]}: {rest[1]}"
    if kind == "hung":
        return str(rest[0])
    return f"you returned {info(rest[0])}" if kind == "ExitInfo" else f"run returned {rest[0]}, of type {kind}"


def _inside(bench: Bench, story: Story) -> None:
    expected = "/proc/PID/root and /proc/PID/cwd of the program are the image's root file system"
    if library := ev.library_calls(story.result):
        looks_like = "a library that forks and execs inside; this exercise is about doing it yourself."
        bench.fail("inside", expected="os.fork() and exec", seen=f"{library[0]} did it", looks_like=looks_like)
    kernel = story.value.get("kernel")
    if not kernel:
        _not_judged_where_chroot_is_refused(bench, story)
        copies = [line for line in story.said.get("gated", []) if not line[0]]
        seen = _words(copies[0][2:]) + " (in the child)" if copies else _words(_said(story, "gated")[2:])
        looks_like = "the child ran past its branch, into your caller." if copies else ""
        if began := story.value.get("began"):
            seen, looks_like = f"it began {began}", _BEGAN[began]
        bench.fail("inside", expected="the program runs in the image", seen=f"not there: {seen}", looks_like=looks_like)
        return
    if kernel["parent"] != story.value["worker"]:
        seen = "the program ran in the process that called run, or in a grandchild of it"
        bench.fail("inside", expected="the program is a child of the process that called run", seen=seen)
    if not story.value["may chroot"] and kernel["cwd"] == "the image":
        bench.skip("inside", "this machine lets nobody chroot in the sandbox (EPERM), so it is not judged here")
        return
    if (kernel["root"], kernel["cwd"]) != ("the image", "the image"):
        bench.fail(
            "inside",
            expected=expected,
            seen=f"its root is {kernel['root']}, its working directory is {kernel['cwd']}",
            looks_like=_not_inside(kernel),
        )
    bench.hold("inside", seen="root and working directory of the running program are the image's")


def _not_judged_where_chroot_is_refused(bench: Bench, story: Story) -> None:
    """An answer for which EPERM is fatal runs nothing on such a machine; only the requirement on EPERM says so."""
    words = _words(_said(story, "gated")[2:])
    refused = f"errno={errno.EPERM})" in words or "Operation not permitted" in words
    if story.value["may chroot"] or not refused:
        return
    for key in ("inside", "phase1", "ends", "phase2", "whole", "ids", "clean"):
        bench.skip(key, "this machine lets nobody chroot in the sandbox (EPERM), and there your run starts no program")
    raise Stop


_ANOTHER = "another image was found: the name counts whole, with its case, and the first line of that name."
_OUTSIDE = "chroot changes where paths begin, not where the process stands."
_BEGAN = {"in another image": _ANOTHER, "in the caller's working directory": _OUTSIDE}


def _not_inside(kernel: dict[str, Any]) -> str:
    if "another image" in (kernel["root"], kernel["cwd"]):
        return _ANOTHER
    if kernel["root"] == "the image":
        return _OUTSIDE
    return "the program was started without chroot, or before it."


def _new_records(story: Story, when: str) -> list[Record]:
    """Records that the history did not have, in the order of the file."""
    old = set(story.history.splitlines())
    lines = [line for line in story.value.get(when, "").splitlines() if line not in old]
    return [record for line in lines if (record := parse_record(line.encode()))]


def _phase_one(bench: Bench, story: Story) -> None:
    pid = int(story.value["pid"])
    expected = f"a line ID|{pid}|{story.image}|running|START|| while the program runs"
    found = _new_records(story, "while it runs")
    if not found:
        fresh = story.value["while it runs"].removeprefix(story.history)
        bench.fail(
            "phase1",
            expected=expected,
            seen=f"no record could be read in {fresh!r}" if fresh else "the program ran and there was no new line",
            looks_like=""
            if fresh
            else "the child was not held back: fork lets both go on, and exec does not wait for your record.",
        )
    record = found[-1]
    said = (record.pid, record.image, record.status, record.end_time, record.exit_code)
    if said != (pid, story.image, Status.RUNNING, None, None) or not _is_time(record.start_time):
        looks_like = "the parent's own pid in the record." if record.pid == story.value["worker"] else ""
        bench.fail("phase1", expected=expected, seen=_line(record), looks_like=looks_like)
    bench.hold("phase1", seen=f"{_line(record)} while process {pid} waited")


def _is_time(text: str | None) -> bool:
    """ISO 8601 to the second, as %Y-%m-%dT%H:%M:%S writes it."""
    return (
        bool(text) and len(str(text)) >= 19 and str(text)[4] == "-" and str(text)[10] in "T " and str(text)[13] == ":"
    )


def _line(record: Record) -> str:
    code = "" if record.exit_code is None else record.exit_code
    return "|".join(
        map(
            str,
            (record.id, record.pid, record.image, record.status.value, record.start_time, record.end_time or "", code),
        )
    )


def _ends(bench: Bench, story: Story, code: int, number: int) -> None:
    for name, what, wanted in (
        ("gated", f"a program that exits with {code}", [code, None, None]),
        ("signal", f"a program that signal {number} ends", [None, number, None]),
        ("no-file", "a program that the image does not have", [127, None, errno.ENOENT]),
        ("closed", "a file without x permission", [126, None, errno.EACCES]),
        ("127", "a program that itself exits with 127", [127, None, None]),
    ):
        lines = story.said.get(name, [])
        if len(lines) > 1:
            looks_like = "the child ran past its branch. After a failed exec only os._exit ends it."
            bench.fail(
                "ends", expected="one process returns", seen="two processes came out of run", looks_like=looks_like
            )
        words = _said(story, name)[2:]
        if words != ["ExitInfo", wanted]:
            bench.fail(
                "ends", expected=f"{what}: {info(wanted)}", seen=_words(words), looks_like=_misread(words, wanted)
            )
    bench.hold("ends", seen=f"code {code}, signal {number}, ENOENT, EACCES, and a 127 of the program's own")


def _misread(words: list[Any], wanted: list[int | None]) -> str:
    if words[0] == "hung":
        return "a parent that keeps the write end of a pipe waits for itself."
    if words[0] != "ExitInfo":
        return ""
    got = words[1]
    if wanted[1] and got[0] is not None:
        return "128 + n is for the record; run itself says which signal it was, and that there is no code."
    if wanted[2] and got[2] is None:
        return "the errno stayed in the child: the exit code alone does not tell."
    if wanted[2] is None and got[2] is not None:
        return "an exit code taken for proof that the exec failed."
    return ""


def _phase_two(bench: Bench, story: Story, code: int, number: int) -> None:
    for when, wanted in (("it", code), ("signal", 128 + number), ("no-file", 127), ("closed", 126)):
        found = _new_records(story, f"after {when}")
        expected = f"ID|PID|{story.image}|exited|START|END|{wanted}"
        if not found:
            bench.fail("phase2", expected=expected, seen="no record that can be read")
        record = found[-1]
        if (record.status, record.exit_code) != (Status.EXITED, wanted) or not _is_time(record.end_time):
            looks_like = "the second phase is missing." if record.status is Status.RUNNING else ""
            bench.fail("phase2", expected=expected, seen=_line(record), looks_like=looks_like)
        if when == "it":
            first = _new_records(story, "while it runs")[-1]
            if (first.id, first.pid, first.start_time) != (record.id, record.pid, record.start_time):
                seen = f"{_line(first)} became {_line(record)}"
                bench.fail("phase2", expected="the same id, pid and start as in phase 1", seen=seen)
        if len({(one.id, one.pid) for one in found}) != len(found):
            looks_like = "phase 2 added a line; it completes the line of phase 1."
            bench.fail("phase2", expected="one line a run", seen=f"{len(found)} lines", looks_like=looks_like)
    bench.hold("phase2", seen=f"exit codes {code}, {128 + number}, 127 and 126 stand in the records")


def _whole(bench: Bench, story: Story) -> None:
    final = story.value["after 127"]
    if not final.startswith(story.history):
        left = [line for line in story.history.splitlines() if line not in final.splitlines()]
        looks_like = "lines that are no records were left out, or written anew in another form." if left else ""
        bench.fail(
            "whole",
            expected="the lines that were there, byte for byte and in their order",
            seen=f"missing: {left[0]!r}" if left else "their order or the lines between them changed",
            looks_like=looks_like,
        )
    if story.value["in place"]:
        bench.fail(
            "whole",
            expected="a reader who has the old table open still sees it whole",
            seen="the open file changed under the reader",
            looks_like="the table was rewritten in place: between truncation and write it is empty for everybody.",
        )
    bench.hold("whole", seen="the old lines are the same bytes, the new table is another file")


def _ten(bench: Bench) -> None:
    story = play(bench, TEN)
    highest = max(
        int(line.partition("|")[0][1:]) for line in story.history.splitlines() if line[:1] == "c" and "|4" in line
    )
    story.value["after ten"] = story.value.get("table", "")
    found = _new_records(story, "after ten")
    expected = f"the ids c{highest + 1} to c{highest + 10}, each with its exit code"
    ids = [int(record.id[1:]) for record in found]
    if not story.value.get("all came back"):
        bench.fail("ids", expected=expected, seen="not all ten came back: " + (ev.raised(story.result) or "they wait"))
    raised = [line[2:] for lines in story.said.values() for line in lines if line[2] != "ExitInfo"]
    if raised:
        bench.fail("ids", expected=expected, seen=_words(raised[0]), looks_like=_SHARED)
    if len(set(ids)) < len(ids):
        looks_like = _RULE
        if min(ids) == highest + 1:
            looks_like = (
                "reading the highest id and writing the record are two steps; nothing keeps others out between."
            )
        bench.fail(
            "ids", expected=expected, seen=f"{len(ids) - len(set(ids))} ids were given twice", looks_like=looks_like
        )
    if len(ids) < 10 or not story.value["table"].startswith(story.history):
        bench.fail("ids", expected=expected, seen=f"{len(ids)} records of 10 are left", looks_like=_SHARED)
    if sorted(ids) != list(range(highest + 1, highest + 11)):
        seen = f"c{min(ids)} to c{max(ids)}"
        bench.fail("ids", expected=expected, seen=seen, looks_like=_RULE)
    codes = sorted(record.exit_code or 0 for record in found)
    if codes != list(range(3, 13)):
        bench.fail("ids", expected=expected, seen=f"exit codes {codes}", looks_like=_SHARED)
    bench.hold("ids", seen=f"c{highest + 1} to c{highest + 10}, ten complete records")


_RULE = "the rule is highest in the file + 1, compared as numbers: c10 comes after c9."
_SHARED = "a rewrite that ran beside another one, without a lock of its own file: one of the two was lost."


def _clean(bench: Bench, story: Story) -> None:
    kernel = story.value["kernel"]
    names = {variable.partition("=")[0] for variable in kernel["variables"]}
    if "UDOCK_TOKEN" in names or "PATH" not in names:
        seen = "the caller's UDOCK_TOKEN is in it" if "UDOCK_TOKEN" in names else "there is no PATH"
        looks_like = "execv hands on the caller's environment whole." if "UDOCK_TOKEN" in names else ""
        bench.fail("clean", expected="an environment with PATH, made for the program", seen=seen, looks_like=looks_like)
    more = [fd for fd in kernel["fds"] if fd > 2]
    if more:
        looks_like = "a pipe or a lock that was made inheritable, or an open image folder: a way out of the chroot."
        bench.fail("clean", expected="descriptors 0, 1 and 2", seen=f"also {more}", looks_like=looks_like)
    bench.hold("clean", seen=f"{len(names)} variables, descriptors 0, 1 and 2")


EXERCISE = Exercise(
    slug="m2_7_mdock_run",
    title="run(home, image, argv): a small mdock run",
    functions=("run",),
    requirements=REQUIREMENTS,
    judge=judge,
)
