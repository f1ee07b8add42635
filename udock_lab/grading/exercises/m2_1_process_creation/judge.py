"""M2.1: ``launch(argv) -> ExitInfo``: fork, exec, wait, decode."""

from __future__ import annotations

import random
import sys

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_1_process_creation.requirements import REQUIREMENTS
from udock_lab.model import SandboxProcess, SandboxResult, SystemCall

__all__ = ["STORIES"]


# A program that draws its code itself, from the kernel: nobody can know it but by waiting for it.
_DRAWN = "read u < /proc/sys/kernel/random/uuid; code=$(( 0x${u%%-*} % 97 + 3 )); "
# Three ways to be ended: by a signal that everybody knows, by one whose number takes six bits (SIGRTMIN, SIGRTMAX), and
# by one that writes a core file and so sets the status's eighth bit (where cores go into the working directory).
_BY_SIGNAL = (
    f"{_DRAWN} set -- 1 2 10 12 14 15; shift $(( code % $# ))",
    f"{_DRAWN} set -- 34 64; shift $(( code % $# ))",
    f"{_DRAWN} set -- 3 6 11; shift $(( code % $# )); "
    'read pattern < /proc/sys/kernel/core_pattern; case $pattern in "|"*|*/*) ;; *) ulimit -c 16;; esac',
)
_SAY = """
import os
def __say(made):
    if not isinstance(made, tuple):
        return [type(made).__name__, repr(made)]
    kinds = [kind.__name__ for kind in type(made).__mro__]
    return ["ExitInfo" if "ExitInfo" in kinds else kinds[0], list(map(__plain, made))]
def __plain(part):
    return int(part) if isinstance(part, int) and not isinstance(part, bool) else part
"""
SEVERAL = _SAY + "__value__ = [__say(launch(argv)) for argv in programs]\n"
LAUNCH = _SAY + "open('me', 'w').write(str(os.getpid()))\n__value__ = [os.getpid(), *__say(launch(argv))]\n"
BESIDE_ANOTHER = (
    _SAY
    + """
other = os.fork()
if other == 0:
    os._exit(99)
os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
reading, writing = os.pipe()
busy = os.fork()
if busy == 0:
    os.read(reading, 1)
    os._exit(98)
made = __say(launch(argv))
os.write(writing, b".")
try:
    busy = os.waitstatus_to_exitcode(os.waitpid(busy, 0)[1])
except ChildProcessError:
    busy = "taken"
try:
    left = os.waitstatus_to_exitcode(os.waitpid(other, 0)[1])
except ChildProcessError:
    left = "taken"
__value__ = [made, "taken" if "taken" in (left, busy) else "hurt" if busy != 98 else left]
"""
)
MISSING = (
    _SAY
    + """
with open("no-program", "w") as file:
    file.write("exit 3\\n")
os.chmod("no-program", 0o755)
def __try(path):
    try:
        words = "{} {}".format(*__say(launch([path])))
    except BaseException as error:
        words = f"raised {type(error).__name__}: {error}"
    with open("returned", "a") as file:
        file.write(f"{words}\\n")
for path in (missing, os.path.abspath("no-program")):
    __try(path)
"""
)
MANY = (
    _SAY
    + """
def __work(number, argv):
    try:
        made = launch(argv)
        try:
            left = "nothing" if os.waitpid(-1, os.WNOHANG) == (0, 0) else "a zombie"
        except ChildProcessError:
            left = ""
        text = f"{left or list(map(__plain, made[:2]))}"
    except BaseException as error:
        text = f"raised {type(error).__name__}"
    with open("said", "a") as file:
        file.write(f"{number} {text}\\n")
workers = []
for number, argv in enumerate(programs):
    pid = os.fork()
    if pid == 0:
        try:
            __work(number, argv)
        finally:
            os._exit(0)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)
"""
)
TIMEOUT = 4.0  # seconds
LONG = 0.6  # seconds that the first program takes: nobody knows its end who has not waited; the others are quick
MOST_FORKS = 8  # for one program; one is enough, and a roundabout way may take a few
PATIENCE = 12.0  # for ten at once on a machine that has other work; who never ends has been found out before


def judge(bench: Bench) -> None:
    """Judge five stories: one program; a signal; another child beside it; programs that cannot start; ten at once."""
    _one_program(bench)
    _ended_by_signal(bench)
    _another_child(bench)
    _no_program(bench)
    _ten(bench)


def _one_program(bench: Bench) -> None:
    words = [f"word{random.randrange(1000)}", "two words", ""]
    argv = ["/bin/sh", "-c", f'{_DRAWN} sleep {LONG}; echo "$$ $PPID $code $#" > ran; exit $code', "sh", *words]
    result = bench.play(LAUNCH, values={"argv": argv}, timeout=TIMEOUT)
    ran = [int(word) for word in result.files.get("ran", b"").split() if word.isdigit()]
    child = _started(bench, result, ran)
    _became(bench, result, child, argv, ran)
    truth = child.status.code if child and child.status else ran[2] if len(ran) == 4 else None
    wanted: list[object] = [truth, None, None]
    _returned(bench, "code", result, wanted, raw=(truth or 0) << 8)
    _no_guess(bench, truth)
    _hold_told(bench, "code", wanted, raw=(truth or 0) << 8)


def _no_guess(bench: Bench, drawn: int | None) -> None:
    """Run a second program that ends with another code, so that no constant is right twice."""
    code = random.choice([code for code in range(3, 100) if code != drawn])
    argv = ["/bin/sh", "-c", f"exit {code}"]
    result = bench.play(LAUNCH, values={"argv": argv}, timeout=TIMEOUT, trace=False, watch=False)
    _returned(bench, "code", result, [code, None, None], raw=code << 8)


def _started(bench: Bench, result: SandboxResult, ran: list[int]) -> SandboxProcess | None:
    """Return the child, if it could be traced."""
    expected = "os.fork() makes a second process"
    left = [process.role for process in result.processes if process.leftover]
    if (result.ended_by != "end" or left) and not _only_the_wait_is_wrong(result):
        expected = f"launch comes back within {TIMEOUT:g} s, and leaves nothing running"
        bench.fail("starts", expected=expected, seen=result.verdict)
    became = result.parent.program  # then its forks are the program's
    library = ev.library_calls(result) or ([] if became else ev.library_forks(result, result.parent.pid))
    if library:
        bench.fail(
            "starts",
            expected=expected,
            seen=f"{library[0]} did it for you",
            looks_like="a library that forks and execs inside; this exercise is about doing it yourself.",
        )
    forked = max(len(ev.forks(result)), len(result.processes) - 1)
    if forked > MOST_FORKS:
        bench.fail(
            "starts",
            expected=expected,
            seen=f"{forked} forks for one program",
            looks_like="fork in a loop: every process that returns from it goes on with the loop.",
        )
    made = _forks_of_its_own(result)
    beside = len(result.processes) > 1 or (len(ran) == 4 and ran[0] != _me(result))
    if not (beside if result.untraced else made):
        bench.fail(
            "starts",
            expected=expected,
            seen=f"no fork; the process itself became {became}"
            if became
            else _ended_early(result, "no second process"),
            looks_like="exec taken for a call that makes a process: it only changes the program inside one."
            if became
            else "",
            by="effects" if result.untraced else "kernel",
        )
    if result.untraced:
        bench.hold("starts", seen="a second process was there", by="effects")
        return None
    bench.hold("starts", seen=f"{made[0].name} -> {made[0].value}")
    children = {process.pid: process for process in result.children}
    ours = [children[call.value] for call in made if call.value in children]
    return next((child for child in ours if child.program), ours[0] if ours else None)


def _forks_of_its_own(result: SandboxResult) -> list[SystemCall]:
    """Return what the caller of launch forked, until it became a program itself: that forks too."""
    me = result.parent.pid
    became = [at for at, call in enumerate(result.calls) if call.pid == me and call.name == "execve" and not call.errno]
    before = result.calls[: became[0]] if became else result.calls
    return [call for call in ev.forks(result, me) if call in before]


def _only_the_wait_is_wrong(result: SandboxResult) -> bool:
    """Return whether fork and exec went well (one child, its program, its sleep), and only the wait is wrong."""
    return len(_programs(result)) == 1 and len(result.processes) <= 3


def _programs(result: SandboxResult) -> list[SandboxProcess]:
    """Return children of launch's caller that became a program."""
    mine = [child for child in result.children if child.parent == result.parent.pid]
    return [child for child in mine if child.program or any(not call.errno for call in ev.execs(result, child.pid))]


def _ended_early(result: SandboxResult, otherwise: str) -> str:
    """Say why there is nothing to judge: an error, a time limit, a signal; ``otherwise`` if none of them."""
    error = ev.raised(result)
    if error.startswith(("SyntaxError", "IndentationError", "TabError")):
        return f"Python {sys.version_info.major}.{sys.version_info.minor} cannot read the solution: {error}"
    if error.startswith("NameError: name 'launch'"):
        return "nothing in the notebook defines launch; a cell under %%sandbox or %%bash runs elsewhere"
    if error:
        return f"launch raised {error}"
    return otherwise if result.parent.ran_on else result.verdict


def _became(bench: Bench, result: SandboxResult, child: SandboxProcess | None, argv: list[str], ran: list[int]) -> None:
    expected = f"execve({argv[0]!r}, {argv})"
    if child is None:
        _became_by_effects(bench, ran, _me(result))
        bench.hold("becomes", seen=f"{argv[0]} ran and saw its words", by="effects")
        return
    calls = ev.execs(result, child.pid)
    worked = [call for call in calls if not call.errno]
    if not worked:
        seen = f"{calls[0].name} = {calls[0].result}" if calls else f"no exec; the child ended with {ev.ended(child)}"
        bench.fail("becomes", expected=expected, seen=seen, looks_like="" if calls else _no_exec(result, child))
    if (times := len(_programs(result))) > 1:
        bench.fail(
            "becomes",
            expected=f"{expected}, once",
            seen=f"the program was started {times} times",
            looks_like="fork called again: each call makes one more process, also one in a loop or a second attempt.",
        )
    got = ev.argv_of(worked[0])
    through_a_descriptor = worked[0].name == "execveat"  # argv[0] was opened, and the open file executed
    if got != argv or not (through_a_descriptor or worked[0].arguments.startswith(f'"{argv[0]}"')):
        bench.fail("becomes", expected=expected, seen=f"execve with {got}", looks_like=_other_words(got, argv))
    bench.hold("becomes", seen=f'execve("{argv[0]}") = 0 in {child.pid}')


def _me(result: SandboxResult) -> int:
    """Return the pid of the caller of launch, as it knows itself."""
    written = result.files.get("me", b"")
    return int(written) if written.isdigit() else 0


def _became_by_effects(bench: Bench, ran: list[int], me: int) -> None:
    """Judge by what the program has written down: its pid, its parent, and how many words it got."""
    expected = "the program, as a child of its caller, with 3 words behind the script"
    if len(ran) != 4:
        bench.fail("becomes", expected=expected, seen="the program did not run", by="effects")
    if ran[0] == me or ran[1] != me:
        seen = "the caller itself became the program" if ran[0] == me else "somebody else's child became it"
        bench.fail("becomes", expected=expected, seen=seen, by="effects")
    if ran[3] != 3:
        bench.fail("becomes", expected=expected, seen=f"{ran[3]} words", by="effects")


def _no_exec(result: SandboxResult, child: SandboxProcess) -> str:
    if ev.execs(result, result.parent.pid):
        return "the two branches swapped: fork returns 0 in the child, and it is the child that becomes the program."
    if ev.forks(result, child.pid):
        return "the child made a process of its own for the program. It is the child itself that becomes the program."
    return "the child went on with the parent's code: without exec it is a copy of the parent for ever."


def _other_words(got: list[str], argv: list[str]) -> str:
    if got == argv[1:]:
        return "the program's own name is the first word of argv; it was left out."
    if len(got) < len(argv) and got == argv[: len(got)]:
        return "some of the words were left out: exec hands the program the list that you give, and no other."
    if " ".join(got).split() == " ".join(argv).split():
        return "the words joined to one string and split again. A word may hold blanks, or be empty: hand on the list."
    if "-c" in got and any(argv[0] in word for word in got[2:]):
        return "a shell was asked to start the program; a list of words needs none."
    return ""


def _told(bench: Bench, key: str, result: SandboxResult, wanted: list[object], *, raw: int) -> None:
    """Compare what launch returned with what the kernel knows."""
    _returned(bench, key, result, wanted, raw=raw)
    _hold_told(bench, key, wanted, raw=raw)


def _hold_told(bench: Bench, key: str, wanted: list[object], *, raw: int) -> None:
    bench.hold(key, seen=f"wait status {raw}, and you returned {_info(wanted)}")


def _returned(bench: Bench, key: str, result: SandboxResult, wanted: list[object], *, raw: int) -> None:
    value = ev.seen_value(result)
    if not _hung(result) and any(child.leftover for child in _programs(result)):
        seen = "launch returned while the program was still running"
        bench.fail(key, expected="its code, after its end", seen=seen, looks_like=_TOO_EARLY)
    _compare(bench, key, result, value[1:] if isinstance(value, list) else None, wanted, raw=raw)


def _compare(bench: Bench, key: str, result: SandboxResult, said: object, wanted: list[object], *, raw: int) -> None:
    """Compare ``said``, what ``__say`` made of the answer, with what is wanted."""
    expected = _info(wanted)
    if not isinstance(said, list) or len(said) != 2:
        looks_like = _why_no_value(result)
        bench.fail(key, expected=expected, seen=_ended_early(result, "launch returned nothing"), looks_like=looks_like)
        return
    kind, got = said
    if kind == "NoneType":
        bench.fail(key, expected=expected, seen="launch returned None", looks_like="a function without a return.")
    if kind != "ExitInfo":
        seen = f"launch returned {got}, {_article(str(kind))}"
        looks_like = (
            _misread(got, wanted, raw) or "the code alone. Return ExitInfo(code=...): there are two ways to end."
        )
        bench.fail(key, expected=expected, seen=seen, looks_like=looks_like)
    never = _never_waited(result, result.parent.pid)
    if repr(got) != repr(wanted) or never:  # 42.0 == 42, and True == 1
        looks_like = _misread(got, wanted, raw) or never
        bench.fail(key, expected=expected, seen=f"you returned {_info(got)}", looks_like=looks_like)


def _why_no_value(result: SandboxResult) -> str:
    if ev.raised(result).startswith("ChildProcessError"):
        return "a status that nobody keeps: the child was waited for twice, or SIGCHLD is ignored."
    if _hung(result):
        return "a loop until the pid is gone: it stays, and kill(pid, 0) finds it, until somebody has waited for it."
    return ""


def _hung(result: SandboxResult) -> bool:
    return result.ended_by == "timeout"


_TOO_EARLY = "nobody waited: the child's end was not known yet, so the code can only be a guess."


def _never_waited(result: SandboxResult, pid: int) -> str:
    if result.untraced or any(call.value or "si_pid" in call.arguments for call in ev.waits(result, pid)):
        return ""
    return _TOO_EARLY


def _misread(got: object, wanted: list[object], raw: int) -> str:
    """Return which number was taken for which, in words."""
    code, number = got[0] if isinstance(got, list) and got else got, wanted[1]
    if code in (raw, str(raw)) and raw not in (0, wanted[0]):
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    if number is None:
        return _misread_code(got, code, wanted[0])
    assert isinstance(number, int)
    if isinstance(got, list) and len(got) > 1 and got[:2] in ([None, number + 128], [number, None]):
        return (
            "WIFSIGNALED and WTERMSIG left out: bit 7 of the status (a core file was written) is no part of the number."
        )
    if code == 128 + number:
        return "128 + n is a habit of shells; the kernel says which signal it was, and that there is no code."
    if code == -number:
        return "a negative code is how Python's subprocess writes a signal."
    if code == 0 and isinstance(got, list) and got[1:2] == [number]:
        return "a code beside the signal. A process that a signal ended has no code: it stays None."
    if code == 0:
        return "WEXITSTATUS read without asking WIFEXITED first: a process that a signal ended has no code."
    return ""


def _misread_code(got: object, code: object, wanted: object) -> str:
    if isinstance(code, float) and code == wanted:
        return "a division: / makes a float. A shift (status >> 8) or os.WEXITSTATUS(status) makes an int."
    if isinstance(got, list) and len(got) > 1 and code == wanted and got[1] == 0:
        return "WTERMSIG read although the program exited by itself: there was no signal, so it is None."
    if isinstance(got, list) and len(got) > 1 and code is None and got[1] == wanted:
        return "code and signal swapped."
    return ""


def _info(values: object) -> str:
    if not isinstance(values, list) or len(values) != 3:
        return repr(values)
    named = [
        f"{name}={value}" for name, value in zip(("code", "signal", "errno"), values, strict=True) if value is not None
    ]
    return f"ExitInfo({', '.join(named)})"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[:1].lower() in "aeiou" else f"a {kind}"


def _ended_by_signal(bench: Bench) -> None:
    programs = [["/bin/sh", "-c", f"{drawn}; echo $1 >> ran; kill -$1 $$"] for drawn in _BY_SIGNAL]
    result = bench.play(SEVERAL, values={"programs": programs}, timeout=TIMEOUT)
    numbers = [*_truths(result), *[None] * len(programs)][: len(programs)]
    values = ev.seen_value(result)
    said = values if isinstance(values, list) and len(values) == len(programs) else [None] * len(programs)
    for value, number in zip(said, numbers, strict=True):
        _compare(bench, "signal", result, value, [None, number, None], raw=number or 0)
    bench.hold("signal", seen=f"the signals {', '.join(map(str, numbers))} ended three programs; so you returned")


def _truths(result: SandboxResult) -> list[int | None]:
    """Return codes or signals of the programs, as the kernel tells them.

    Without that, as the programs have written them down.
    """
    if not result.untraced:
        ends = [child.status for child in _programs(result)]
        return [status.signal if status.signaled else status.code for status in ends if status]
    return [int(word) for word in result.files.get("ran", b"").split() if word.isdigit()]


def _truth(result: SandboxResult) -> int | None:
    """Return what the kernel knows of one program."""
    return next(iter(_truths(result)), None)


_OTHERS = {
    "taken": ", and another child's status was taken",
    "hurt": ", and a signal had ended another child",
}


def _another_child(bench: Bench) -> None:
    argv = ["/bin/sh", "-c", f"{_DRAWN} echo $code > ran; sleep 0.02; exit $code"]
    result = bench.play(BESIDE_ANOTHER, values={"argv": argv}, timeout=TIMEOUT)
    code = _truth(result)
    expected = f"{_info([code, None, None])}, and the other child still to be waited for"
    value = ev.seen_value(result)
    if not isinstance(value, list) or len(value) != 2:
        looks_like = (
            "a wait for all children there are; one of the caller's may run for hours." if _hung(result) else ""
        )
        seen = _ended_early(result, "launch returned nothing")
        bench.fail("own", expected=expected, seen=seen, looks_like=looks_like)
        return
    made, left = value
    left = "taken" if _taken(result) else left
    if made != ["ExitInfo", [code, None, None]] or left != 99:
        taken = left == "taken"
        bench.fail(
            "own",
            expected=expected,
            seen=f"you returned {_info(made[1])}" + _OTHERS.get(left, ""),
            looks_like="os.wait() or waitpid with 0 or -1: the first child that ends, whosesoever it is."
            if taken
            else "",
        )
    bench.hold("own", seen="the other child's status was still there")


def _taken(result: SandboxResult) -> bool:
    """Return whether the other child was waited for before its own parent asked for it by its pid.

    The kernel says so.
    """
    other = [child.pid for child in result.children if child.status and child.status.code == 99 and not child.program]
    return not result.untraced and not any(
        call.value in other and call.arguments.startswith(f"{call.value},")
        for call in ev.waits(result, result.parent.pid)
    )


def _no_program(bench: Bench) -> None:
    """Judge a file that does not exist, and one that only execve itself finds to be no program (126 for a shell)."""
    missing = f"/no/such/program-{random.randrange(10**6)}"
    result = bench.play(MISSING, values={"missing": missing}, timeout=TIMEOUT)
    lines = result.files.get("returned", b"").decode(errors="replace").splitlines()
    expected = "one process returns, with ExitInfo(code=127)"
    if len(lines) > 2 or any(process.ran_on for process in result.children):
        bench.fail(
            "stays",
            expected=expected,
            seen=f"the child came out of launch too: {'; '.join(lines)[:200] or 'it ran on'}",
            looks_like=_carried_on(lines),
        )
    if len(lines) < 2:
        bench.fail("stays", expected=expected, seen=_ended_early(result, "launch did not return"))
    if left := [process.role for process in result.processes if process.leftover]:
        seen = f"{' and '.join(left)} went on after launch had returned"
        bench.fail("stays", expected=f"{expected}, and none is left", seen=seen, looks_like=_LINGERS)
    _ends_there(bench, lines[0], ("127",), expected)
    failed = [call for call in ev.execs(result) if call.errno and '/no-program"' in call.arguments]
    tried = [call for call in failed if call.pid != result.parent.pid]
    if not tried and not result.untraced:
        bench.fail("stays", expected="execve tried, in a child", seen="nobody called execve for a file that exists")
    _ends_there(bench, lines[1], ("127", "126"), f"{expected}, also where the file is no program")
    bench.hold("stays", seen="the child ended with code 127 and one process returned")


_LINGERS = (
    "a process that was forked and that neither becomes a program nor ends: each path of a child ends in os._exit."
)


def _carried_on(lines: list[str]) -> str:
    if any("SystemExit" in line for line in lines):
        return "sys.exit in the child: it raises SystemExit, which your caller may catch; os._exit ends the process."
    if any(line.startswith("raised") for line in lines):
        return "the child ran past its branch: execv raised, and the error carried the child into your caller."
    return "the child returned from launch as well: what comes after a failed exec must end in os._exit."


def _ends_there(bench: Bench, words: str, codes: tuple[str, ...], expected: str) -> None:
    kind, _, values = words.partition(" ")
    code, signal, *_ = [*values.strip("[]").split(", "), "", ""]
    if kind == "ExitInfo" and code in codes and signal == "None":
        return
    looks_like = (
        "a shell started in place of the program that execve refused: it read the file as its script."
        if code == "3"
        else "exit code 1 (or 0) for a program that was not found; shells and container runtimes say 127."
    )
    bench.fail("stays", expected=expected, seen=words, looks_like=looks_like if kind == "ExitInfo" else "")


def _ten(bench: Bench) -> None:
    """Judge ten at once: eight that draw a code, one that a signal ends, one that is not there."""
    drawn = ["/bin/sh", "-c", f'{_DRAWN} echo "$0 $code" >> ran; exit $code']
    programs = [[*drawn, str(number)] for number in range(8)]
    programs += [["/bin/sh", "-c", "kill -9 $$"], [f"/no/such/program-{random.randrange(10**6)}"]]
    result = bench.play(MANY, values={"programs": programs}, timeout=PATIENCE)
    wanted = _ends_by_number(result, programs) | {"9": "[127, None]"}
    if len(wanted) != len(programs) and result.ended_by == "end":
        seen = f"{len(wanted) - 1} of 9 programs ran in a child that its parent waited for"
        bench.fail("many", expected="nine programs run, and one is not there", seen=seen)
    said = dict(_numbered(result.files.get("said", b"")))
    wrong = [(wanted.get(number, "a code"), words) for number, words in said.items() if words != wanted.get(number)]
    if wrong or len(said) != len(programs) or len(wanted) != len(programs):
        code, words = wrong[0] if wrong else ("ten answers", _ended_early(result, f"{len(said)} came"))
        zombie = words in ("nothing", "a zombie")
        bench.fail(
            "many",
            expected=f"{code} (code, signal) and no child left",
            seen=f"{'a child was left' if zombie else words} ({len(wrong)} of 10 are wrong)",
            looks_like="a child that nobody waited for stays behind as a zombie." if zombie else "",
        )
    bench.hold("many", seen="ten ends, no child left")


def _ends_by_number(result: SandboxResult, programs: list[list[str]]) -> dict[str, str]:
    """Return which program ended how: of those that a parent waited for, as the kernel saw it.

    Where nobody traced, as the programs have written it down.
    """
    if result.untraced:
        return {number: f"[{code}, None]" for number, code in _numbered(result.files.get("ran", b""))} | {
            "8": "[None, 9]"
        }
    numbers = {tuple(words): str(number) for number, words in enumerate(programs)}
    processes = {process.pid: process for process in result.processes}
    ends = {}
    for call in ev.execs(result):
        number, process = numbers.get(tuple(ev.argv_of(call))), processes.get(call.pid)
        if number and not call.errno and process and process.status and not _never_waited(result, process.parent):
            status = process.status
            ends[number] = f"[None, {status.signal}]" if status.signaled else f"[{status.code}, None]"
    return ends


def _numbered(text: bytes) -> list[tuple[str, str]]:
    """Return lines of a number and words."""
    lines = text.decode(errors="replace").splitlines()
    return [(number, words) for number, _, words in (line.partition(" ") for line in lines)]


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
