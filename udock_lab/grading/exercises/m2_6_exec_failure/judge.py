"""M2.6: ``run(argv) -> ExitInfo``: the errno of a failed exec comes home through a close-on-exec pipe."""

from __future__ import annotations

import errno
import random
import signal

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_6_exec_failure.comparing import by, compare, nothing, seen_of, waits
from udock_lab.grading.exercises.m2_6_exec_failure.diagnose import (
    CLOSED,
    OTHERS_CHILD,
    TWO_PIPES,
    UNREAD,
    UNSENT,
    copied,
    guessed,
    info,
    raised,
)
from udock_lab.grading.exercises.m2_6_exec_failure.told import LATE, Told, run_all
from udock_lab.model import SystemCall

__all__ = ["STORIES", "info"]

_SHELL = ["/bin/sh", "-c"]
# Draws its own exit code, so that nobody can know it without running it; tells what it sees of itself.
_KERNELS_DRAW = "/proc/sys/kernel/random/uuid"
_DRAWS = (
    f"read u < {_KERNELS_DRAW}; code=$(( 0x${{u%%-*}} % 97 + 3 )); echo $$ $PPID $code /proc/$$/fd/* >> ran; exit $code"
)
# Ended by a signal that writes a core file, where cores go into the working directory: bit 7 of the status.
_CORE = (
    'read pattern < /proc/sys/kernel/core_pattern; case $pattern in "|"*|*/*) ;; *) ulimit -c 16;; esac; kill -ABRT $$'
)
_PRINTED = "printed by the program"
_WHERE_OUTPUT_GOES = 'links=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); echo "$links" > links'
_LOOKS_AT_ITS_PARENT = (
    "echo /proc/$PPID/fd/* > held; read children < /proc/$PPID/task/$PPID/children; echo $$ $children > children"
)
_OPEN_AT_ONCE = 4  # descriptors that a run has open while its program runs: two ends, a pidfd, one to spare
_REFUSED = (
    ("found", "closed", "a file without x permission", [126, None, errno.EACCES]),
    ("found", "folder", "a folder", [126, None, errno.EACCES]),
    ("found", "no-format", "an executable text without a #! line", [126, None, errno.ENOEXEC]),
    ("asks", "no-interpreter", "a script whose interpreter is missing", [127, None, errno.ENOENT]),
    ("asks", "dangling", "a link to nothing", [127, None, errno.ENOENT]),
)


@story("back", "ended", "pipe")
def its_own_child(bench: Bench) -> None:
    """Judge one program under the kernel's eyes, then five that end in different ways beside the caller's children."""
    first = run_all(bench, [("draws", [*_SHELL, _DRAWS])], watched=True)
    _comes_back(bench, first)
    as_it_should = _in_a_child(bench, first)
    several = _ways_to_end(bench)
    _comes_back(bench, several)
    bench.hold("back", seen="it came back", by=by(bench))  # a point only for who started something
    if as_it_should:
        _decoded(bench, first, several)
    _through_a_pipe(bench, first)


def _ways_to_end(bench: Bench) -> Told:
    programs = [
        ("code", [*_SHELL, "exit 42"]),
        ("signal", [*_SHELL, "kill -KILL $$"]),
        ("core", [*_SHELL, _CORE]),
        ("ends-before", ["./ends-before"]),
        ("ends-at-once", ["./ends-before"]),
    ]
    script = f"#!/bin/sh\nkill -{int(signal.SIGUSR1)} $$\n"
    return run_all(bench, programs, {"ends-before": (script, 0o755)}, number=int(signal.SIGUSR1), beside=True)


def _comes_back(bench: Bench, told: Told) -> None:
    """Judge an end that never comes: the reader holds the pipe open itself, or waits for a word in any case."""
    hung = told.hung
    if hung is None and (told.end or told.result.ended_by != "timeout"):  # another failure is no waiting
        return
    expected = "run comes back as soon as the program has ended"
    seen, looks_like = waits(hung)
    bench.fail("back", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))


def _in_a_child(bench: Bench, first: Told) -> bool:
    """Judge that the program ran once, in a child of the caller; return whether its end can be judged, too."""
    expected = "os.fork() makes the process in which the program runs"
    ran = [line.split() for line in first.file("ran")]
    if library := ev.library_calls(first.result) or _shared_memory(first):
        looks_like = (
            "a library that forks and execs inside; it has such a pipe, and this exercise is about building it."
        )
        bench.fail("ended", expected=expected, seen=f"{library[0]} did it for you", looks_like=looks_like)
    if not ran or ran[0][0] == str(first.end.get("me")) or not first.end:
        seen, looks_like = _no_child(first)
        bench.fail("ended", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))
    if not first.result.untraced and not _became_it(first):
        bench.fail("ended", expected=expected, seen="the kernel saw no process become the program")
    if not first.result.untraced and not _fork_of(first):
        raise NotSeenError("strace has not seen the fork of a program that ran")
    if len(ran) > 1:
        looks_like = "a trial run: whatever the program does, it does twice."
        seen = f"it was started {len(ran)} times"
        bench.fail(
            "ended", expected="run starts the program once", seen=seen, looks_like=looks_like, by=by(bench), go_on=True
        )
        return False
    if ran[0][1] != str(first.end["me"]):
        bench.fail(
            "ended",
            expected="the program's parent is the process that called run",
            seen=f"its parent is process {ran[0][1]}, and run was called in {first.end['me']}",
            looks_like="a double fork: the child forks once more, and the program is a grandchild. Fork once.",
            by=by(bench),
            go_on=True,
        )
        return False
    return True


def _became_it(told: Told) -> list[SystemCall]:
    """Return the calls by which a process became the program."""
    return [call for call in ev.execs(told.result) if not call.errno and _KERNELS_DRAW in call.arguments]


def _fork_of(told: Told) -> SystemCall | None:
    """Return the call that made the process in which the program ran."""
    worked = _became_it(told)
    return next((call for call in ev.forks(told.result) if worked and call.value == worked[-1].pid), None)


def _drawn(first: Told) -> int:
    """Return the program's exit code: as the kernel knows it, else as the program wrote it down."""
    pid = next((call.pid for call in _became_it(first)), 0)
    status = next((process.status for process in first.result.processes if process.pid == pid), None)
    return status.code if status and status.code is not None else int(first.file("ran")[0].split()[2])


def _shared_memory(told: Told) -> list[str]:
    fork = _fork_of(told)
    return ev.library_forks(told.result, fork.pid) if fork else []


def _no_child(first: Told) -> tuple[str, str]:
    """Return why no program ran in a child, in words, and what it looks like."""
    if first.copies:
        _, words = first.copies[0]
        return f"the child came out of run: {ev.worded(words, 'run')}", copied(words)
    if became := first.result.parent.program:
        return f"no fork; the process itself became {became}", _ONLY_CHANGES
    program = first.programs.get("draws")
    if program is None:
        return nothing(first.result), ""
    if program.here:
        return "no fork; exec was called in your own process", _ONLY_CHANGES
    return ev.worded(program.said, "run"), "" if program.said.returned else raised(program.said, [None] * 3)


_ONLY_CHANGES = "exec taken for a call that makes a process: it only changes the program inside one."


def _decoded(bench: Bench, first: Told, several: Told) -> None:
    """Judge what came back for programs that started, and for a child that ended before it could start one."""
    code = _drawn(first)
    usr1, kill, core = int(signal.SIGUSR1), int(signal.SIGKILL), int(signal.SIGABRT)
    for told, name, what, wanted in (
        (first, "draws", f"a program that exits with {code}", [code, None, None]),
        (several, "code", "a program that exits with 42", [42, None, None]),
        (several, "signal", f"a program that signal {kill} ends", [None, kill, None]),
        (several, "core", f"a program that signal {core} ends, with a core file", [None, core, None]),
        (several, "ends-before", f"a child that signal {usr1} ends before its exec", [None, usr1, None]),
        (several, "ends-at-once", f"a child that signal {usr1} ends as soon as it is there", [None, usr1, None]),
    ):
        if not compare(bench, "ended", told, name, what, wanted):
            return
    if several.end.get("child"):
        seen = f"another child of the process that called run was {several.end['child']}"
        expected = "run waits for its own child alone"
        bench.fail("ended", expected=expected, seen=seen, looks_like=OTHERS_CHILD, by=by(bench), go_on=True)
        return
    bench.hold("ended", seen=f"code {code}, then signals {kill}, {core} and {usr1}", by=by(bench))


def _through_a_pipe(bench: Bench, first: Told) -> None:
    """Judge that a pipe was there before the fork, and that the program has none of it."""
    *_, fds = first.file("ran")[0].split(maxsplit=3)
    channels = set(first.programs["draws"].channels) if "draws" in first.programs else set()
    before, after = _pipes(first)
    if not (before or "socket" in channels or (first.result.untraced and "pipe" in channels)):
        others = ", ".join(sorted(channels)) or "none"
        bench.fail(
            "pipe",
            expected="a pipe that is open when you fork, so that both processes have it",
            seen=f"{after} pipes made after the fork" if after else f"new descriptors at the fork: {others}",
            looks_like=TWO_PIPES
            if after
            else "another way home than a pipe. A file has to be named, shared and removed; nothing closes it.",
            by=by(bench),
        )
    more = {fd.rpartition("/")[2] for fd in fds.split()} - {"0", "1", "2"}
    if len(more) != 1:  # one is the listing itself
        bench.fail(
            "pipe",
            expected="the program has the descriptors 0, 1 and 2",
            seen=f"it has {len(more) - 1} more",
            looks_like="an end of the pipe, or a copy of one (os.dup2 makes it inheritable), is not close-on-exec. "
            "That is what tells the parent that the exec worked.",
            by=by(bench),
        )
    bench.hold("pipe", seen="a pipe before the fork, and the program has 0, 1 and 2", by=by(bench))


def _pipes(first: Told) -> tuple[int, int]:
    """Return how many pipes the caller had made before it forked, and how many it and its child made after that."""
    fork = _fork_of(first)
    if fork is None:
        return 0, 0
    became = next(call.start for call in ev.execs(first.result, fork.value) if not call.errno)
    made = [call for call in first.result.calls if call.name in ("pipe", "pipe2") and not call.errno]
    mine = [call for call in made if call.pid in (fork.pid, first.result.parent.pid)]
    before = sum(call.end <= fork.start for call in mine)
    return before, len(mine) - before + sum(call.pid == fork.value and call.end <= became for call in made)


@story("missing", "found", "asks")
def programs_that_do_not_start(bench: Bench) -> None:
    """Judge programs that are not there, that cannot be executed, and whose file is not what is missing."""
    closed, text, script, late = (f"program-{number}" for number in random.sample(range(10**6), 4))
    programs = [
        ("missing", [f"/no/such/program-{random.randrange(10**6)}"]),
        ("bare", ["sh", "-c", "exit 3"]),
        ("closed", [f"./{closed}"]),
        ("folder", ["./folder"]),
        ("no-format", [f"./{text}"]),
        ("no-interpreter", [f"./{script}"]),
        ("dangling", ["./dangling"]),
        ("again", ["./no-such-thing"]),
        ("late", [f"./{late}"]),
    ]
    files = {
        closed: ("#!/bin/sh\nexit 0\n", 0o644),
        text: ("exit 0\n", 0o755),
        script: (f"#!/no/such/shell-{random.randrange(10**6)}\nexit 0\n", 0o755),
    }
    failed = run_all(bench, programs, files)
    if failed.without_a_fork:
        for key in ("missing", "found", "asks"):
            bench.wait(key, "ended")
        return
    _waits_for_nothing(bench, failed)
    lost = _lost(bench, failed)
    _missing(bench, failed, lost)
    _refused(bench, failed, lost, "found", "EACCES and ENOEXEC arrived, each with code 126")
    _refused(bench, failed, lost, "asks", "ENOENT for a file that is there")


def _missing(bench: Bench, failed: Told, lost: str) -> None:
    not_there = [127, None, errno.ENOENT]
    if failed.copies:
        _, words = failed.copies[0]
        expected = "one process returns from run"
        seen = f"a second process came out of run: {ev.worded(words, 'run')}"
        bench.fail("missing", expected=expected, seen=seen, looks_like=copied(words), by=by(bench), go_on=True)
        return
    if library := ev.library_calls(failed.result):
        seen = f"{library[0]} was asked for the errno"
        looks_like = (
            "a second start asks a library why the first one failed; your child knows, and has the pipe to say it."
        )
        expected = "the errno of the execve in your child"
        bench.fail("missing", expected=expected, seen=seen, looks_like=looks_like, go_on=True)
        return
    what = "a program that is not there"
    if not all(compare(bench, "missing", failed, name, what, not_there, lost=lost) for name in ("missing", "again")):
        return
    bare = failed.programs["bare"]
    if bare.values != not_there:
        bench.fail(
            "missing",
            expected=f"run(['sh', ...]) in a folder without sh: {info(not_there)}",
            seen=seen_of(bare),
            looks_like="PATH was searched, as execvp does. argv[0] is a path; execv and execve take it as it is.",
            by=by(bench),
            go_on=True,
        )
        return
    _late(bench, failed, not_there)


def _late(bench: Bench, failed: Told, wanted: list[int | None]) -> None:
    late = failed.programs.get("late")
    if late is not None and late.values != wanted:
        bench.fail(
            "missing",
            expected=f"the same where the child gets to its exec {LATE:g} s after the fork",
            seen=seen_of(late),
            looks_like="silence for a while taken for success. Only the pipe's end of file says that the exec worked.",
            by=by(bench),
            go_on=True,
        )
        return
    bench.hold("missing", seen="ExitInfo(code=127, errno=2) each time", by=by(bench))


def _waits_for_nothing(bench: Bench, failed: Told) -> None:
    """Judge a run that did not come back: what follows it has not been tried."""
    hung = next((name for name, program in failed.programs.items() if program.hung and name != "late"), None)
    if hung is None:
        return
    key, what = next(
        ((key, what) for key, name, what, _ in _REFUSED if name == hung), ("missing", "a program that is not there")
    )
    seen, looks_like = waits(failed.programs[hung])
    bench.fail(key, expected=f"{what}: run comes back", seen=seen, looks_like=looks_like, by=by(bench))


def _lost(bench: Bench, failed: Told) -> str:
    """Find out what becomes of an errno that does not come home: somebody listens at the pipe."""
    missing = failed.programs.get("missing")
    if failed.copies or missing is None or not missing.values or missing.values[2] is not None:
        return ""
    told = run_all(bench, [("missing", ["./no-such-thing"])], listens=True)
    heard = told.programs.get("missing")
    if heard is None or heard.values is None or heard.values[2] is not None:
        return ""
    if not heard.channels:
        return TWO_PIPES if told.could_write else ""
    if heard.unread:
        return UNREAD
    return UNSENT if told.could_write else CLOSED


def _refused(bench: Bench, failed: Told, lost: str, wanted_key: str, evidence: str) -> None:
    chosen = [(name, what, wanted) for key, name, what, wanted in _REFUSED if key == wanted_key]
    if failed.copies and any(failed.programs[name].values != wanted for name, _, wanted in chosen):
        bench.wait(wanted_key, "missing")
        return
    looked = any(not program.forks for program in failed.programs.values()) and wanted_key == "asks"
    for name, what, wanted in chosen:
        if not compare(bench, wanted_key, failed, name, what, wanted, guessed(0) if looked else "", lost):
            return
    bench.hold(wanted_key, seen=evidence, by=by(bench))


@story("apart", "left")
def programs_that_end_alike(bench: Bench) -> None:
    """Judge programs that end as a failed exec does, and what is left of all of them."""
    programs = [
        ("127", [*_SHELL, "exit 127"]),
        ("126", ["./exits-126"]),
        ("prints", [*_SHELL, f"echo 2; echo 2 >&2; echo {_PRINTED}; exit 127"]),
        ("links", [*_SHELL, _WHERE_OUTPUT_GOES]),
        ("signal", [*_SHELL, "kill -TERM $$"]),
        *((f"missing-{number}", [f"/no/such/program-{number}"]) for number in range(2 * _OPEN_AT_ONCE)),
        ("closed", ["./closed"]),
        ("looks", [*_SHELL, _LOOKS_AT_ITS_PARENT]),
    ]
    files = {"exits-126": ("#!/bin/sh\nexit 126\n", 0o755), "closed": ("#!/bin/sh\nexit 0\n", 0o644)}
    told = run_all(bench, programs, files)
    if told.without_a_fork:
        bench.wait("apart", "ended")
        bench.wait("left", "ended")
        return
    hung = next((name for name, program in told.programs.items() if program.hung), "")
    if any(name in ("127", "126", "prints") for name, _ in told.copies):
        bench.wait("apart", "ended")
        bench.wait("left", "ended")
        return
    if hung and not hung.startswith("missing") and hung != "closed":
        bench.wait("apart", "back")
        bench.wait("left", "back")
        return
    _apart(bench, told)
    if hung:
        bench.wait("left", "missing" if hung.startswith("missing") else "found")
    else:
        _left(bench, told)


def _apart(bench: Bench, told: Told) -> None:
    links = zip(("output", "error"), told.file("callers-links"), told.file("links"), strict=False)
    turned = [(stream, link) for stream, before, link in links if link != before]
    for name, what, code in (
        ("127", "a program that exits with 127", 127),
        ("126", "a program that exits with 126", 126),
        ("prints", "a program that prints 2 and exits with 127", 127),
    ):
        program = told.programs.get(name)
        if turned and program and program.values and program.values[2] is not None:
            break  # that is why
        if not compare(bench, "apart", told, name, what, [code, None, None]):
            return
    if turned or told.result.stdout.count(_PRINTED) != 1:
        stream, link = turned[0] if turned else ("output", "")
        bench.fail(
            "apart",
            expected="what the program prints goes where it went before",
            seen=f"the program's standard {stream} is {link}"
            if turned
            else f"standard output got {told.result.stdout!r}",
            looks_like=f"standard {stream} as the way home: it belongs to the program, which may print a number too. "
            "The errno needs a pipe of its own."
            if link.startswith(("pipe", "socket"))
            else f"standard {stream} was turned elsewhere before the exec. It belongs to the program.",
            by=by(bench),
            go_on=True,
        )
        return
    bench.hold("apart", seen="exit codes 127 and 126, and no errno", by=by(bench))


def _left(bench: Bench, told: Told) -> None:
    """Judge by what the caller says at the end, and by what the last program saw of its parent."""
    tried = len(told.programs)
    expected = f"no child and no descriptor left after {tried} programs, of which some did not start"
    children = [line.split() for line in told.file("children")]
    others = len(children[0]) - 2 if children else 0
    child = told.end.get("child") or (f"{others} children are" if others > 0 else "")
    if child:
        looks_like = "a way out of run on which nobody waits: a child whose exec failed is a child too."
        seen = f"{child} is left" if told.end.get("child") else f"{child} left"
        bench.fail("left", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))
    left = [str(link) for link in told.end.get("left", [])]
    held = len(" ".join(told.file("held")).split()) - int(told.end.get("held", 0))
    if left or held > _OPEN_AT_ONCE:
        kinds = ", ".join(sorted({link.partition(":")[0] for link in left})) or "as its child saw"
        seen = f"{len(left) or held} open descriptors are left ({kinds})"
        looks_like = "an end of the pipe that the parent never closes; a caller that runs for long has none left."
        bench.fail("left", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))
    bench.hold("left", seen=f"{tried} runs, no child and no descriptor left", by=by(bench))


STORIES = (its_own_child, programs_that_do_not_start, programs_that_end_alike)
