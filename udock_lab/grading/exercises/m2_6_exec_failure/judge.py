"""M2.6: ``run(argv) -> ExitInfo``: the errno of a failed exec comes home through a close-on-exec pipe."""

from __future__ import annotations

import errno
import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_6_exec_failure.comparing import by, compare, nothing, seen_of, waits
from udock_lab.grading.exercises.m2_6_exec_failure.diagnose import (
    ANOTHER_WAY,
    CLOSED,
    NO_WAY,
    OTHERS_CHILD,
    TWO_PIPES,
    UNREAD,
    UNSENT,
    copied,
    guessed,
    info,
    raised,
)
from udock_lab.grading.exercises.m2_6_exec_failure.told import LATE, Program, Told, held, run_all, script, turns

__all__ = ["STORIES", "info"]

# No signal that a shell or Python may ignore or catch. Which one, and which code, is drawn when the program is there.
_SIGNALS = (9, 10, 12, 15, 26, 30)
_CORES = (3, 4, 6, 8, 11)
_CODES = tuple(range(3, 100))
_TURNS = ("turn-a", "turn-b", "turn-c", "turn-d")
_ALIKE = ("one", "two", "prints")  # they exit as a failed exec does
_PRINTED = "printed by the program"
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
    """Judge programs that end in different ways, beside the caller's other children."""
    told = run_all(
        bench,
        [
            held("draws", "exit", "codes"),
            held("code", "exit", "codes"),
            held("signal", "kill", "signals"),
            held("core", "core", "cores"),
            Program("ends-before", ["./ends-before"], "kill", "signals", kill="exec"),
            Program("ends-at-once", ["./ends-at-once"], "kill", "signals", kill="born"),
        ],
        {name: (f"#!/bin/sh\n{script(name)}", 0o755) for name in ("ends-before", "ends-at-once")},
        {"codes": _CODES, "signals": _SIGNALS, "cores": _CORES},
        beside=True,
    )
    _comes_back(bench, told)
    as_it_should = _in_a_child(bench, told)
    bench.hold("back", seen="it came back", by=by(bench))  # a point only for who started something
    if as_it_should:
        _decoded(bench, told)
    _through_a_pipe(bench, told)


def _comes_back(bench: Bench, told: Told) -> None:
    """Judge an end that never comes: the reader holds the pipe open itself, or waits for a word in any case."""
    hung = told.hung
    if hung is None and (told.end or told.result.ended_by != "timeout"):  # another failure is no waiting
        return
    expected = "run comes back as soon as the program has ended"
    seen, looks_like = waits(hung)
    bench.fail("back", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))


def _in_a_child(bench: Bench, told: Told) -> bool:
    """Judge that the program ran once, in a child of the caller; return whether its end can be judged, too."""
    expected = "os.fork() makes the process in which the program runs"
    if library := told.library:
        looks_like = (
            "a library that forks and execs inside; it has such a pipe, and this exercise is about building it."
        )
        bench.fail("ended", expected=expected, seen=f"{library[0]} did it for you", looks_like=looks_like)
    first = told.programs.get("draws")
    if first is None or not first.ran or first.ran[0]["pid"] == told.end["pid"]:
        seen, looks_like = _no_child(told)
        bench.fail("ended", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))
        return False
    if len(first.ran) > 1:
        looks_like = "a trial run: whatever the program does, it does twice."
        seen = f"it was started {len(first.ran)} times"
        bench.fail(
            "ended", expected="run starts the program once", seen=seen, looks_like=looks_like, by=by(bench), go_on=True
        )
        return False
    if (above := first.ran[0]["parent"]) != told.end["pid"]:
        bench.fail(
            "ended",
            expected="the program's parent is the process that called run",
            seen=f"its parent is process {above}, and run was called in {told.end['pid']}",
            looks_like="a double fork: the child forks once more, and the program is a grandchild. Fork once.",
            by=by(bench),
            go_on=True,
        )
        return False
    return True


def _no_child(told: Told) -> tuple[str, str]:
    """Return why no program ran in a child, in words, and what it looks like."""
    if told.copies:
        _, words = told.copies[0]
        return f"the child came out of run: {ev.worded(words, 'run')}", copied(words)
    if told.last and told.last.ran:
        return f"no fork; the process itself became {told.last.ran[0]['words'][0]}", _ONLY_CHANGES
    program = told.programs.get("draws")
    if program is None:
        return nothing(told), ""
    if program.here:
        return "no fork; exec was called in your own process", _ONLY_CHANGES
    return ev.worded(program.said, "run"), "" if program.said.returned else raised(program.said, [None] * 3)


_ONLY_CHANGES = "exec taken for a call that makes a process: it only changes the program inside one."


def _decoded(bench: Bench, told: Told) -> None:
    """Judge what came back for programs that started, and for a child that ended before it could start one."""
    drawn = {name: run.drawn for name, run in told.programs.items()}
    for name, what in (
        ("draws", "a program that exits with {}"),
        ("code", "a program that exits with {}"),
        ("signal", "a program that signal {} ends"),
        ("core", "a program that signal {} ends, with a core file"),
        ("ends-before", "a child that signal {} ends before its exec"),
        ("ends-at-once", "a child that signal {} ends as soon as it is there"),
    ):
        if name.startswith("ends") and not told.witnessed:
            continue  # nobody was there to end it
        wanted = told.wanted(name)
        if not compare(bench, "ended", told, name, what.format(drawn.get(name)), wanted):
            return
    if told.end.get("others"):
        seen = f"another child of the process that called run was {told.end['others']}"
        expected = "run waits for its own child alone"
        bench.fail("ended", expected=expected, seen=seen, looks_like=OTHERS_CHILD, by=by(bench), go_on=True)
        return
    bench.hold("ended", seen=f"code {drawn['draws']}, then signals {drawn['signal']} and {drawn['core']}", by=by(bench))


def _through_a_pipe(bench: Bench, told: Told) -> None:
    """Judge that a pipe was there before the fork, and that the program has none of it."""
    first = told.programs["draws"]
    channels = set(first.channels)
    if told.witnessed and not channels & {"pipe", "socket"}:
        after = {link for link in [*(first.asked or {}).get("its", []), *first.ran[0]["mine"]] if link[:5] == "pipe:"}
        others = ", ".join(sorted(channels)) or "none"
        bench.fail(
            "pipe",
            expected="a pipe that is open when you fork, so that both processes have it",
            seen=f"{len(after)} pipes made after the fork" if after else f"new descriptors at the fork: {others}",
            looks_like=TWO_PIPES if after else ANOTHER_WAY if channels else NO_WAY,
            by=by(bench),
        )
    if more := first.ran[0]["more"]:
        bench.fail(
            "pipe",
            expected="the program has the descriptors 0, 1 and 2",
            seen=f"it has {len(more)} more",
            looks_like="an end of the pipe, or a copy of one (os.dup2 makes it inheritable), is not close-on-exec. "
            "That is what tells the parent that the exec worked.",
            by=by(bench),
        )
    if not told.witnessed:
        bench.skip("pipe", "this kernel does not say when a process forks, and so not what is open then")
        return
    bench.hold("pipe", seen="a pipe before the fork, and the program has 0, 1 and 2", by=by(bench))


@story("missing", "found", "asks")
def programs_that_do_not_start(bench: Bench) -> None:
    """Judge programs that are not there, that cannot be executed, and whose file is not what is missing."""
    closed, text, shell, late = (f"program-{number}" for number in random.sample(range(10**6), 4))
    programs = [
        Program("missing", [f"/no/such/program-{random.randrange(10**6)}"]),
        Program("bare", ["sh", "-c", "exit 3"]),
        Program("closed", [f"./{closed}"]),
        Program("folder", ["./folder"]),
        Program("no-format", [f"./{text}"]),
        Program("no-interpreter", [f"./{shell}"]),
        Program("dangling", ["./dangling"]),
        Program("again", ["./no-such-thing"]),
        *(Program(name, [f"./{name}"], "exit", "codes", turn="turns") for name in _TURNS),
        Program("late", [f"./{late}"], late=LATE),
    ]
    files = {
        closed: ("#!/bin/sh\nexit 0\n", 0o644),
        text: ("exit 0\n", 0o755),
        shell: (f"#!/no/such/shell-{random.randrange(10**6)}\nexit 0\n", 0o755),
        **turns(_TURNS),
    }
    failed = run_all(bench, programs, files, {"codes": _CODES, "turns": ("ENOENT", "ENOENT", "EACCES", "ENOEXEC")})
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
    if library := failed.library:
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
    told = run_all(bench, [Program("missing", ["./no-such-thing"], listens=True)])
    heard = told.programs.get("missing")
    if heard is None or heard.values is None or heard.values[2] is not None:
        return ""
    could_write = bool(heard.asked and heard.asked["can write"])
    if not heard.channels:
        return TWO_PIPES if could_write else ""
    if heard.unread:
        return UNREAD
    return UNSENT if could_write else CLOSED


def _refused(bench: Bench, failed: Told, lost: str, wanted_key: str, evidence: str) -> None:
    chosen = [(name, what, wanted) for key, name, what, wanted in _REFUSED if key == wanted_key]
    if failed.copies and any(failed.programs[name].values != wanted for name, _, wanted in chosen):
        bench.wait(wanted_key, "missing")
        return
    looked = any(not program.forks for program in failed.programs.values()) and wanted_key == "asks"
    for name, what, wanted in chosen:
        if not compare(bench, wanted_key, failed, name, what, wanted, guessed(0) if looked else "", lost):
            return
    if wanted_key == "asks" and not _asked(bench, failed):
        return
    bench.hold(wanted_key, seen=evidence, by=by(bench))


def _asked(bench: Bench, failed: Told) -> bool:
    """Judge scripts whose interpreter is drawn when execve is asked: nobody else can know what came of it."""
    for name in _TURNS:
        run = failed.programs.get(name)
        if run and run.turn != "ENOENT" and not bench.holds("found"):
            continue  # one mistake costs one requirement
        what = "a script, the interpreter of which is there or not as execve looks for it"
        wanted = failed.wanted(name)
        if not compare(bench, "asks", failed, name, what, wanted, "" if run and run.asked else guessed(0)):
            return False
    mute = [name for name in ("no-interpreter", "dangling", *_TURNS) if not failed.programs[name].asked]
    if mute and failed.witnessed:
        seen = "no process of yours asked execve for it"
        expected = "the errno that execve gives, in a child"
        bench.fail("asks", expected=expected, seen=seen, looks_like=guessed(0), by=by(bench), go_on=True)
        return False
    return True


@story("apart", "left")
def programs_that_end_alike(bench: Bench) -> None:
    """Judge programs that end as a failed exec does, and what is left of all of them."""
    programs = [
        held("one", "exit", "alike"),
        Program("two", ["./two"], "exit", "alike"),
        held("prints", "prints", "alike", prints=_PRINTED),
        held("signal", "kill", "signals"),
        *(Program(f"missing-{number}", [f"/no/such/program-{number}"]) for number in range(2 * _OPEN_AT_ONCE)),
        Program("closed", ["./closed"]),
        held("last", "exit", "codes"),
    ]
    files = {"two": (f"#!/bin/sh\n{script('two')}", 0o755), "closed": ("#!/bin/sh\nexit 0\n", 0o644)}
    pools = {"alike": (127, 126, 127), "signals": _SIGNALS, "codes": _CODES}
    told = run_all(bench, programs, files, pools)
    if told.without_a_fork:
        bench.wait("apart", "ended")
        bench.wait("left", "ended")
        return
    hung = next((name for name, program in told.programs.items() if program.hung), "")
    if any(name in _ALIKE for name, _ in told.copies):
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
    before = told.end.get("streams", [])
    turned = [
        (stream, link)
        for run in told.programs.values()
        for look in run.ran
        for stream, was, link in zip(("output", "error"), before, look["streams"], strict=True)
        if link != was
    ]
    for name in _ALIKE:
        program = told.programs.get(name)
        if turned and program and program.values and program.values[2] is not None:
            break  # that is why
        wanted = told.wanted(name)
        what = f"a program that {'prints 2 and ' * (name == 'prints')}exits with {wanted[0]}"
        if not compare(bench, "apart", told, name, what, wanted):
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
    look = told.programs["last"].ran[-1] if "last" in told.programs and told.programs["last"].ran else {}
    others = look.get("children", 1) - 1
    left_over = [*told.end.get("children", [])]
    child = left_over[0] if left_over else f"{others} children are" if others > 0 else ""
    if child:
        looks_like = "a way out of run on which nobody waits: a child whose exec failed is a child too."
        seen = f"{child} is left" if left_over else f"{child} left"
        bench.fail("left", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))
    left = [str(link) for link in told.end.get("left", [])]
    then = len(look.get("mine", []))
    if left or then > _OPEN_AT_ONCE:
        kinds = ", ".join(sorted({link.partition(":")[0] for link in left})) or "as its child saw"
        seen = f"{len(left) or then} open descriptors are left ({kinds})"
        looks_like = "an end of the pipe that the parent never closes; a caller that runs for long has none left."
        bench.fail("left", expected=expected, seen=seen, looks_like=looks_like, by=by(bench))
    if not any(run.ran for run in told.programs.values()):
        bench.wait("left", "ended")
        return
    bench.hold("left", seen=f"{tried} runs, no child and no descriptor left", by=by(bench))


STORIES = (its_own_child, programs_that_do_not_start, programs_that_end_alike)
