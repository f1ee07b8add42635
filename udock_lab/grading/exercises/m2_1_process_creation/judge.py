"""M2.1: how ``launch(argv)`` is judged: six stories, none of which needs another's.

A story says by itself where there is nothing for it to see: no child, or a child that became no program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench, NotSeenError
from udock_lab.grading.evidence import Said, worded
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_1_process_creation import diagnose, witness
from udock_lab.grading.exercises.m2_1_process_creation import programs as given
from udock_lab.grading.exercises.m2_1_process_creation.playing import (
    FAILING,
    NO_PROGRAM,
    TIMEOUT,
    given_to_launch,
    played,
)
from udock_lab.grading.exercises.m2_1_process_creation.witness import End
from udock_lab.model import SandboxProcess, SandboxResult
from udock_lab.sandbox.preparing import PLAIN_ENVIRONMENT

__all__ = ["STORIES"]

MOST_FORKS = 8  # for one program; one is enough, and a roundabout way may take a few


@story("starts", "becomes")
def one_program(bench: Bench) -> None:
    """Look for a second process, which becomes the program, with all its words."""
    result, argv = played(bench, "words"), given_to_launch(bench)["argv"]
    said = witness.answers(result, 1)[0]
    child = _started(bench, result, said)
    if child is None:
        _became_by_effects(bench, result, argv)
    else:
        _became(bench, result, child, argv)


def _started(bench: Bench, result: SandboxResult, said: Said | None) -> SandboxProcess | None:
    """Return the child, if it could be traced."""
    expected = "os.fork() makes a second process"
    left = [process.role for process in result.processes if process.leftover]
    if (result.ended_by != "end" or left) and not _only_the_wait_is_wrong(result):
        expected = f"launch comes back within {TIMEOUT['words']:g} s, and leaves nothing running"
        bench.fail("starts", expected=expected, seen=result.verdict)
    if library := witness.library(result):
        looks_like = "a library that forks and execs inside; this exercise is about doing it yourself."
        bench.fail("starts", expected=expected, seen=f"{library[0]} did it for you", looks_like=looks_like)
    forked = max(len(ev.forks(result)), len(result.processes) - 1)
    if forked > MOST_FORKS:
        looks_like = "fork in a loop: every process that returns from it goes on with the loop."
        bench.fail("starts", expected=expected, seen=f"{forked} forks for one program", looks_like=looks_like)
    made = witness.forks_of_its_own(result)
    became = result.parent.program
    if became and not made:
        looks_like = "exec taken for a call that makes a process: it only changes the program inside one."
        seen = f"no fork; the process itself became {became}"
        bench.fail("starts", expected=expected, seen=seen, looks_like=looks_like, by=_by(result))
    if not (len(result.processes) > 1 if result.untraced else made):
        seen = _nothing_to_see(result, said, otherwise="no second process")
        bench.fail("starts", expected=expected, seen=seen, by=_by(result))
    if result.untraced:
        bench.hold("starts", seen="a second process was there", by="effects")
        return None
    bench.hold("starts", seen=f"{made[0].name} -> {made[0].value}")
    children = {process.pid: process for process in result.children}
    ours = [children[call.value] for call in made if call.value in children]
    if not ours:
        raise NotSeenError("the child was forked, and nobody saw it end")
    return next((child for child in ours if child.program), ours[0])


def _only_the_wait_is_wrong(result: SandboxResult) -> bool:
    """Return whether fork and exec went well (one child, its program, what that starts), and only the wait is wrong."""
    return len(witness.programs(result)) == 1 and len(result.processes) <= 3


def _by(result: SandboxResult) -> str:
    return "effects" if result.untraced else "kernel"


def _nothing_to_see(result: SandboxResult, said: Said | None, otherwise: str) -> str:
    """Say why there is nothing to judge: an error, a time limit, a signal; ``otherwise`` if none of them."""
    if said is not None:
        return f"{otherwise}; {worded(said, 'launch')}" if said.returned else worded(said, "launch")
    error = ev.raised(result)
    if error.startswith(("SyntaxError", "IndentationError", "TabError")):
        return f"Python {sys.version_info.major}.{sys.version_info.minor} cannot read the solution: {error}"
    if error.startswith("NameError: name 'launch'"):
        return "nothing in the notebook defines launch; a cell under %%sandbox or %%bash runs elsewhere"
    if error:
        return f"the cell of launch raised {ev.raised_where(result)}"
    return otherwise if result.parent.ran_on else result.verdict


def _became(bench: Bench, result: SandboxResult, child: SandboxProcess, argv: list[str]) -> None:
    expected = f"execve({argv[0]!r}, {argv})"
    calls = ev.execs(result, child.pid)
    worked = [call for call in calls if not call.errno]
    if not worked:
        strays = witness.astray(result)
        if calls:
            seen, looks_like = f"{calls[-1].name}({calls[-1].arguments}) = {calls[-1].result}", _refused(calls, argv)
        elif strays:
            seen, looks_like = f"in the child {worded(strays[0], 'launch')}", diagnose.no_exec(result, child, strays)
        else:
            seen = f"no exec; the child ended with {ev.ended(child)}"
            looks_like = diagnose.no_exec(result, child, strays)
        bench.fail("becomes", expected=expected, seen=seen, looks_like=looks_like)
    if (times := len(witness.programs(result))) > 1:
        bench.fail(
            "becomes",
            expected=f"{expected}, once",
            seen=f"the program was started {times} times",
            looks_like="fork called again: each call makes one more process, also one in a loop or a second attempt.",
        )
    got, path = ev.argv_of(worked[0]), ev.path_of(worked[0])
    through_a_descriptor = worked[0].name == "execveat" or path.startswith("/proc/")  # argv[0], opened before
    if got != argv or not (through_a_descriptor or path.endswith(argv[0].removeprefix("."))):
        seen = f"execve({path!r}, {got})"
        bench.fail("becomes", expected=expected, seen=seen, looks_like=diagnose.other_words(path, got, argv))
    bench.hold("becomes", seen=f"execve({argv[0]!r}, ...) = 0 in {child.pid}")
    handed_on, there = ev.variables_of(worked[0]), len(PLAIN_ENVIRONMENT)
    if handed_on is not None and handed_on < there:
        bench.note(
            f"The program got {handed_on} of the {there} variables that launch has. When you hand in, it is judged "
            "whether the program inherits the environment."
        )


def _refused(calls: Sequence[object], argv: list[str]) -> str:
    """Say what an exec that the kernel refused was after, where it was another file than argv[0]."""
    paths = [ev.path_of(call) for call in calls]  # type: ignore[arg-type]
    if argv[0] in paths:
        return ""
    return "another path than argv[0]: it is handed on as it is, blanks, dots and all."


def _became_by_effects(bench: Bench, result: SandboxResult, argv: list[str]) -> None:
    """Judge by what the program has written down: its parent, and its words, as /proc has them."""
    expected = f"the program, as a child of its caller, with the words {argv}"
    ran, me = witness.ran(result).get("words-0"), witness.caller(result)
    if ran is None:
        return bench.fail("becomes", expected=expected, seen="the program did not run", by="effects")
    if ran.pid == me or ran.parent != me:
        seen = "the caller itself became the program" if ran.pid == me else "somebody else's child became it"
        bench.fail("becomes", expected=expected, seen=seen, by="effects")
    got = [os.fsdecode(word.encode("latin-1")) for word in ran.words]
    if got != argv:
        looks_like = diagnose.other_words(argv[0], got, argv)
        bench.fail("becomes", expected=expected, seen=f"the words {got}", looks_like=looks_like, by="effects")
    return bench.hold("becomes", seen=f"{argv[0]} ran and saw its words", by="effects")


def _no_child(bench: Bench, key: str, result: SandboxResult, seen: Sequence[End | None]) -> bool:
    """Return whether there is nothing of this requirement to see, and say what it waits for."""
    if witness.library(result) or not _forked(result):
        bench.wait(key, "starts")
        return True
    if not any(seen):
        bench.wait(key, "becomes")
        return True
    return False


def _forked(result: SandboxResult) -> bool:
    return len(result.processes) > 1 if result.untraced else bool(witness.forks_of_its_own(result))


@story("code")
def exit_codes(bench: Bench) -> None:
    """Judge a slow program, which is stopped in between, and two quick ones: each draws a code of its own."""
    argvs = [given.draws(f"codes-{number}") for number in range(3)]
    result = played(bench, "codes")
    ends = witness.ends(result, argvs)
    if not _no_child(bench, "code", result, ends):
        if killed := [end for end in ends if end is not None and end.status.signaled and not end.leftover]:
            seen = f"signal {killed[0].status.signal} ended the program, which had not come to its end"
            bench.fail("code", expected="its code, after its end", seen=seen, looks_like=diagnose.KILLED)
        _compare(bench, "code", result, ends)
        told = ", ".join(f"{end.raw} is {_info(*end.info)}" for end in ends if end)
        bench.hold("code", seen=f"three wait statuses, and what you returned: {told}")


@story("signal")
def ended_by_signal(bench: Bench) -> None:
    """Programs that each end themselves by another signal."""
    argvs = [given.draws(f"signals-{number}") for number in range(len(given.SIGNALS))]
    result = played(bench, "signals")
    ends = witness.ends(result, argvs)
    if _no_child(bench, "signal", result, ends):
        return
    for end in ends:
        if end is not None and not end.leftover and not end.status.signaled and not witness.hung(result):
            bench.fail(
                "signal",
                expected=f"signal {end.drew} ends the program",
                seen=f"signal {end.drew} did not end it: it went on, and exited with code {end.status.code}",
                looks_like="a signal that is ignored or blocked. exec does not change that: the program inherits it "
                "from the child, and the child from its parent.",
            )
    _compare(bench, "signal", result, ends)
    numbers = sorted(end.status.signal or 0 for end in ends if end)
    bench.hold("signal", seen=f"the signals {', '.join(map(str, numbers))} ended a program each; so you returned")


def _compare(bench: Bench, key: str, result: SandboxResult, ends: Sequence[End | None]) -> None:
    """Compare what launch said of each program with what the kernel says of its end."""
    said = witness.answers(result, len(ends))
    if not witness.hung(result) and any(end is not None and end.leftover for end in ends):
        seen = "launch returned while the program was still running"
        early = next((one for one in said if one is not None), None)
        stopped = early is not None and isinstance(early.plain, tuple) and 19 in early.plain
        looks_like = diagnose.STOPPED if stopped else diagnose.TOO_EARLY
        bench.fail(key, expected="its end, after it has come", seen=seen, looks_like=looks_like)
    wrong = [(one, end) for one, end in zip(said, ends, strict=True) if end is None or _differs(one, end)]
    causes = [(one, end, _cause(result, one, end)) for one, end in wrong]
    told = sorted(causes, key=lambda cause: not cause[2])  # the first one that looks like something
    for one, end, looks_like in told[:1]:
        expected = _info(*end.info) if end is not None else "the program runs"
        tried = _tried(*end.info) if end is not None else {}
        bench.fail(key, expected=expected, seen=_seen(result, one), looks_like=looks_like, tried=tried)
    if any(end is not None and end.unheard for end in ends):
        seen = "launch returned and had not heard of the child's end"
        bench.fail(key, expected="waitpid", seen=seen, looks_like=diagnose.TOO_EARLY)


def _tried(code: int | None, signal: int | None) -> dict[str, object]:
    """Return what its reproduction needs of a program that ended so."""
    return {"script": f"exit {code}", "code": code} if signal is None else {"number": signal}


def _differs(said: Said | None, end: End) -> bool:
    """Return whether this is not what the kernel knows; 42.0 and True are no exit codes."""
    if said is None or not said.returned or not said.is_a("ExitInfo"):
        return True
    return repr(said.plain) != repr((*end.info, None))


def _cause(result: SandboxResult, said: Said | None, end: End | None) -> str:
    if said is None or not said.returned:
        return diagnose.no_answer(result, said)
    if end is None:
        return ""
    return diagnose.misread(result, said, end) or (diagnose.TOO_EARLY if end.unheard else "")


def _seen(result: SandboxResult, said: Said | None) -> str:
    if said is None:
        return _nothing_to_see(result, said, otherwise="launch returned nothing")
    if not said.returned:
        return worded(said, "launch")
    if said.is_a("ExitInfo"):
        return f"you returned {_short(said)}"
    return f"launch returned {said.shown}" + ("" if said.kind == "NoneType" else f", {_article(said.kind)}")


def _short(said: Said) -> str:
    """Write an ExitInfo without the fields that are None."""
    if isinstance(said.plain, tuple) and len(said.plain) == 3:
        return _info(*said.plain)
    return said.shown


def _info(code: object, signal: object, errno: object = None) -> str:
    named = (("code", code), ("signal", signal), ("errno", errno))
    return f"ExitInfo({', '.join(f'{name}={value!r}' for name, value in named if value is not None)})"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[:1].lower() in "aeiou" else f"a {kind}"


@story("own")
def other_children(bench: Bench) -> None:
    """Launch beside a child that has ended, and one that is busy: both are still the caller's own afterwards."""
    argv = given.draws("own-0")
    result = played(bench, "own")
    ends = witness.ends(result, [argv])
    if _ours_only(bench, result, ends):
        return
    end = ends[0]
    assert end is not None
    said, found = witness.answers(result, 1)[0], witness.others(result)
    expected = f"{_info(*end.info)}, and the other children still to be waited for"
    if result.ended_by != "end" or said is None or not said.returned:
        hung = witness.hung(result)
        looks_like = "a wait for all children there are; one of the caller's may run for hours." if hung else ""
        seen = _seen(result, said)
        bench.fail("own", expected=expected, seen=seen, looks_like=looks_like or diagnose.no_answer(result, said))
    taken = "gone" in found
    hurt = not taken and found != ["ended", "busy"]
    if taken or hurt or _differs(said, end):
        happened = ", and another child's status was taken" if taken else ", and another child was ended by a signal"
        looks_like = diagnose.ANY_CHILD
        if not taken:
            looks_like = "a signal sent to children that are not launch's own." if hurt else _cause(result, said, end)
        seen = _seen(result, said) + (happened if taken or hurt else "")
        bench.fail("own", expected=expected, seen=seen, looks_like=looks_like)
    bench.hold("own", seen="the other children's statuses were still there")


def _ours_only(bench: Bench, result: SandboxResult, ends: Sequence[End | None]) -> bool:
    """Return whether there is nothing to see: two of the forks here are the caller's, not launch's."""
    if witness.library(result):
        bench.wait("own", "starts")
        return True
    if any(ends):
        return False
    forked = len(result.processes) - 1 if result.untraced else len(witness.forks_of_its_own(result))
    bench.wait("own", "becomes" if forked > 2 else "starts")
    return True


@story("stays")
def no_program(bench: Bench) -> None:
    """Launch what is not there, is no program, may not be executed: each child ends, and one process returns."""
    result, paths = played(bench, "stays"), given_to_launch(bench)["paths"]
    expected = "one process returns, with ExitInfo(code=127)"
    if strays := witness.astray(result):
        seen = f"the child came out of launch too: in it {worded(strays[0], 'launch')}"
        bench.fail("stays", expected=expected, seen=seen, looks_like=diagnose.carried_on(strays))
    if any(process.ran_on for process in result.children):
        bench.fail("stays", expected=expected, seen="the child came out of launch too")
    said = witness.answers(result, len(paths))
    if witness.library(result) or not (
        _forked(result) or all(one is not None and one.is_a("ExitInfo") for one in said)
    ):
        bench.wait("stays", "starts")
        return
    if not _forked(result):
        bench.fail("stays", expected=expected, seen="no child that could have tried, and yet four answers")
    if left := [process.role for process in result.processes if process.leftover and process is not result.parent]:
        seen = f"{' and '.join(left)} went on after launch had returned"
        bench.fail("stays", expected=f"{expected}, and none is left", seen=seen, looks_like=_LINGERS)
    for one, path, (_, codes, what) in zip(said, paths, FAILING, strict=True):
        _ends_there(bench, result, one, (path, codes, what))
    bench.hold("stays", seen="each child ended with code 127 (or 126), and one process returned")


_LINGERS = (
    "a process that was forked and that neither becomes a program nor ends: each path of a child ends in os._exit."
)


def _ends_there(bench: Bench, result: SandboxResult, said: Said | None, case: tuple[str, tuple[str, ...], str]) -> None:
    """Judge one of them: what was said of it, and that a child has tried."""
    path, codes, what = case
    wanted = " or ".join(f"ExitInfo(code={code})" for code in codes)
    expected = f"{wanted} for {path!r} ({what})"
    if said is None or not said.returned or not said.is_a("ExitInfo"):
        looks_like = _why_no_info(result, said)
        bench.fail("stays", expected=expected, seen=_seen(result, said), looks_like=looks_like, tried={"path": path})
    assert said is not None
    code, signal, errno = said.plain if isinstance(said.plain, tuple) and len(said.plain) == 3 else (None, None, None)
    if repr(code) not in codes or signal is not None:
        known = errno if isinstance(errno, int) else _errno_of(result, path)
        looks_like = diagnose.failed_code(code, known, signal)
        bench.fail("stays", expected=expected, seen=_seen(result, said), looks_like=looks_like, tried={"path": path})
    if result.untraced:
        return
    failed = [call for call in ev.execs(result) if call.errno]
    tried = {call.pid for call in failed if call.name == "execveat" or ev.path_of(call).endswith(path.lstrip("."))}
    if path == NO_PROGRAM and not tried & {child.pid for child in result.children}:
        seen = f"nobody called execve for {path!r}, which is there, in a child"
        bench.fail("stays", expected="execve tried, in a child", seen=seen)


def _why_no_info(result: SandboxResult, said: Said | None) -> str:
    if said is not None and said.returned and said.kind != "NoneType":
        return "another value than an ExitInfo. Return ExitInfo(code=...)."
    return diagnose.no_answer(result, said)


def _errno_of(result: SandboxResult, path: str) -> int | None:
    """Return the number of the error that execve handed back for a path."""
    import errno

    names = [call.errno for call in ev.execs(result) if call.errno and ev.path_of(call).endswith(path.lstrip("."))]
    return getattr(errno, names[0], None) if names else None


@story("many")
def ten(bench: Bench) -> None:
    """Ten at once: eight that draw a code, one that a signal ends, one that is not there."""
    missing = [given_to_launch(bench)["missing"]]
    argvs = [*(given.draws(f"many-{number}") for number in range(9)), missing]
    result = played(bench, "many")
    ends = witness.ends(result, argvs)
    ends[9] = End(raw=127 << 8)
    if witness.library(result):
        return bench.wait("many", "starts")
    if not any(ends[:8]):
        return bench.wait("many", "becomes")
    said = witness.ten_answers(result)
    told = [said.get(number, (None, False)) for number in range(10)]
    wrong = [number for number, (said, left) in enumerate(told) if left or _not_this_end(said, ends[number])]
    wrong += [n for n, end in enumerate(ends[:8]) if n not in wrong and end is not None and end.status.signaled]
    if wrong:
        _some_of_ten(bench, result, wrong, told, ends)
    bench.hold("many", seen="ten ends, no child left")
    return None


def _not_this_end(said: Said | None, end: End | None) -> bool:
    """Return whether an answer is wrong; an errno may stand beside the code."""
    if said is None or not said.returned or not said.is_a("ExitInfo") or end is None or end.unheard:
        return True
    return not isinstance(said.plain, tuple) or repr(said.plain[:2]) != repr(end.info)


def _some_of_ten(
    bench: Bench,
    result: SandboxResult,
    wrong: list[int],
    told: list[tuple[Said | None, bool]],
    ends: Sequence[End | None],
) -> None:
    """Fail, by the first one that left a child behind, or else by the first one that is wrong."""
    causes = {number: _cause_of_ten(result, ends, number, told[number]) for number in wrong}
    left_first = sorted(wrong, key=lambda number: (not told[number][1], not causes[number]))
    number = left_first[0]
    (said, left), end = told[number], ends[number]
    seen = "a child was left" if left else _seen(result, said)
    bench.fail(
        "many",
        expected=f"{_info(*end.info) if end else 'the program runs'} and no child left",
        seen=f"{seen} ({len(wrong)} of 10 are wrong)",
        looks_like=causes[number],
        tried={"programs": [_tried_of_ten(number, end)]},
    )


def _tried_of_ten(number: int, end: End | None) -> tuple[str, str]:
    """Return one of the ten as a learner runs it again: a script, or the path that is not there, and its end."""
    if number >= 8:
        return [("kill -9 $$", "None 9"), ("/no/such/program", "127 None")][number - 8]
    code = end.info[0] if end is not None else None
    code = 11 + number if code is None else code  # it was killed, or never ran
    return f"sleep 0.1; exit {code}", f"{code} None"


def _cause_of_ten(
    result: SandboxResult, ends: Sequence[End | None], number: int, told: tuple[Said | None, bool]
) -> str:
    """Say what a wrong answer among the ten looks like."""
    (said, left), end = told, ends[number]
    if left:
        return "a child that nobody waited for stays behind as a zombie."
    strays = witness.astray(result)
    if strays and (said is None or not said.returned or number == 9):  # whoever came out of launch is no cause else
        return diagnose.carried_on(strays)
    if said is None or end is None:
        return ""
    if number < 8 and end.status.signaled:
        return diagnose.KILLED
    return diagnose.mixed_up(said, ends, number) or _cause(result, said, end)


STORIES = (one_program, exit_codes, ended_by_signal, other_children, no_program, ten)
