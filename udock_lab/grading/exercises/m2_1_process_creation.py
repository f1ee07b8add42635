"""M2.1: ``launch(argv) -> ExitInfo``: fork, exec, wait, decode."""

from __future__ import annotations

import random
import signal

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.model import Requirement, SandboxProcess, SandboxResult

__all__ = ["EXERCISE"]

REQUIREMENTS = (
    Requirement(
        key="starts",
        name="starts a second process, with os.fork",
        points=1,
        lesson='m2_1a_fork, "Action"',
        hints=(
            "Which call makes a second process out of one?",
            "os.fork() returns twice: 0 in the child, the child's pid in the parent.",
        ),
    ),
    Requirement(
        key="becomes",
        name="the child becomes the program, with all its words",
        points=1,
        lesson='m2_1b_exec_and_wait, "Action"',
        hints=(
            "The child's branch has one thing to do before it may end.",
            "os.execv(argv[0], argv): the first word is both the file to run and the program's own name.",
        ),
    ),
    Requirement(
        key="code",
        name="the parent learns the exit code",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
        hints=(
            "waitpid hands over 16 bits. Which of them hold the code?",
            "os.WIFEXITED(status) asks whether there is a code, os.WEXITSTATUS(status) reads it.",
        ),
    ),
    Requirement(
        key="signal",
        name="a program ended by a signal is told apart",
        points=1,
        lesson='m2_1b_exec_and_wait, "Ended by a signal"',
        hints=(
            "A process that a signal has ended has no exit code. What does ExitInfo say then?",
            "os.WIFSIGNALED(status) asks, os.WTERMSIG(status) reads the number; the code stays None.",
        ),
    ),
    Requirement(
        key="own",
        name="waits for its own child and it alone",
        points=1,
        lesson='m2_1b_exec_and_wait, "Nobody waits: the zombie"',
        hints=(
            "The caller may have other children. Whose end does os.wait() hand over?",
            "os.waitpid(pid, 0) names the child; -1 would mean any.",
        ),
    ),
    Requirement(
        key="stays",
        name="a child whose exec fails ends there, with code 127",
        points=1,
        lesson='m2_1a_fork, "The child that runs on"',
        hints=(
            "What does the child do if execv comes back?",
            "try: os.execv(...) finally: os._exit(127). Nothing may carry the child past its branch.",
        ),
    ),
    Requirement(
        key="many",
        name="ten at once, each with its own code, and no zombie is left",
        points=1,
        lesson='m2_1b_exec_and_wait, "Nobody waits: the zombie"',
        hints=("Is there a way out of your function on which nobody waits for the child?",),
    ),
)

_SAY = """
def __say(made):
    return [type(made).__name__, list(made) if isinstance(made, tuple) else repr(made)]
"""
LAUNCH = _SAY + "__value__ = __say(launch(argv))\n"
BESIDE_ANOTHER = (
    _SAY
    + """
import os
other = os.fork()
if other == 0:
    os._exit(99)
os.waitid(os.P_PID, other, os.WEXITED | os.WNOWAIT)
made = __say(launch(argv))
try:
    left = os.waitstatus_to_exitcode(os.waitpid(other, 0)[1])
except ChildProcessError:
    left = "taken"
__value__ = [made, left]
"""
)
MISSING = """
import os
try:
    made = launch(argv)
    words = f"{type(made).__name__} {list(made) if isinstance(made, tuple) else made!r}"
except BaseException as error:
    words = f"raised {type(error).__name__}: {error}"
with open("returned", "a") as file:
    file.write(f"{os.getpid()} {words}\\n")
"""
MANY = """
import os, time
workers = []
for number in range(10):
    pid = os.fork()
    if pid == 0:
        try:
            made = launch(["/bin/sh", "-c", f"sleep 0.05; exit {codes[number]}"])
            try:
                os.waitpid(-1, os.WNOHANG)
                left = "a child is left"
            except ChildProcessError:
                left = ""
            text = f"{made[0]} {left}"
        except BaseException as error:
            text = f"raised {type(error).__name__}"
        with open(f"said-{number}", "w") as file:
            file.write(text)
        os._exit(0)
    workers.append(pid)
for pid in workers:
    os.waitpid(pid, 0)
"""


def judge(bench: Bench) -> None:
    """Three stories: one program, its ends; another child beside it; no program; ten at once."""
    _one_program(bench)
    _ended_by_signal(bench)
    _another_child(bench)
    _no_program(bench)
    _ten(bench)


def _one_program(bench: Bench) -> None:
    """The program picks its own exit code, so that nobody can know it without running it."""
    words = [f"word{random.randrange(1000)}", "two words", ""]
    script = 'echo "$$ $PPID $#" > ran; exit $(( $$ % 97 + 3 ))'
    argv = ["/bin/sh", "-c", script, "sh", *words]
    result = bench.play(LAUNCH, values={"argv": argv})
    child = _started(bench, result)
    _became(bench, result, child, argv)
    ran = result.files["ran"].split()
    truth = int(ran[0]) % 97 + 3
    _told(bench, "code", result, [truth, None, None], raw=truth << 8)


def _started(bench: Bench, result: SandboxResult) -> SandboxProcess | None:
    expected = "os.fork() makes a second process"
    library = ev.library_calls(result)
    if library:
        bench.fail(
            "starts",
            expected=expected,
            seen=f"{library[0]} did it for you",
            looks_like="a library that forks and execs inside; this exercise is about doing it yourself.",
        )
    made = ev.forks(result, result.parent.pid)
    if result.untraced:
        if "ran" not in result.files:
            bench.fail("starts", expected=expected, seen=_nothing(result), by="effects")
        bench.hold("starts", seen="the program ran beside its parent", by="effects")
        return None
    if not made:
        became = result.parent.program
        bench.fail(
            "starts",
            expected=expected,
            seen=f"no fork; the process itself became {became}" if became else _nothing(result),
            looks_like="exec taken for a call that makes a process: it only changes the program inside one."
            if became
            else "",
        )
    bench.hold("starts", seen=f"{made[0].name} -> {made[0].value}")
    return next((process for process in result.children if process.pid == made[0].value), None)


def _nothing(result: SandboxResult) -> str:
    error = ev.raised(result)
    return f"launch raised {error}" if error else "no second process"


def _became(bench: Bench, result: SandboxResult, child: SandboxProcess | None, argv: list[str]) -> None:
    expected = f"execve({argv[0]!r}, {argv})"
    if child is None:
        counted = result.files["ran"].split()[2:]
        if counted != [b"3"]:
            bench.fail("becomes", expected="3 words behind the script", seen=f"{counted} words", by="effects")
        bench.hold("becomes", seen=f"{argv[0]} ran and saw its words", by="effects")
        return
    calls = ev.execs(result, child.pid)
    worked = [call for call in calls if not call.errno]
    if not worked:
        seen = f"{calls[0].name} = {calls[0].result}" if calls else f"no exec; the child ended with {ev.ended(child)}"
        looks_like = "the child went on with the parent's code: without exec it is a copy of the parent for ever."
        bench.fail("becomes", expected=expected, seen=seen, looks_like="" if calls else looks_like)
    got = ev.argv_of(worked[0])
    if "ran" not in result.files or result.files["ran"].split()[2:] != [b"3"]:
        looks_like = ""
        if got == argv[1:]:
            looks_like = "the program's own name is the first word of argv; it was left out."
        elif worked[0].arguments.startswith('"/bin/sh"') and got[:2] != argv[:2]:
            looks_like = "a shell was asked to start the program; a list of words needs none."
        bench.fail("becomes", expected=expected, seen=f"execve with {got}", looks_like=looks_like)
    bench.hold("becomes", seen=f'execve("{argv[0]}") = 0 in {child.pid}')


def _told(bench: Bench, key: str, result: SandboxResult, wanted: list[object], *, raw: int) -> None:
    """What launch returned, against what the kernel knows."""
    expected = _info(wanted)
    value = ev.seen_value(result)
    if value is None:
        error = ev.raised(result)
        bench.fail(key, expected=expected, seen=f"launch raised {error}" if error else result.verdict)
        return
    kind, got = value if isinstance(value, list) else ("", value)
    if kind == "NoneType":
        bench.fail(key, expected=expected, seen="launch returned None", looks_like="a function without a return.")
    if kind != "ExitInfo":
        seen = f"launch returned {got}, {_article(kind)}"
        bench.fail(key, expected=expected, seen=seen, looks_like=_misread(got, wanted, raw))
    if got != wanted:
        bench.fail(key, expected=expected, seen=f"you returned {_info(got)}", looks_like=_misread(got, wanted, raw))
    bench.hold(key, seen=f"wait status {raw}, and you returned {expected}")


def _misread(got: object, wanted: list[object], raw: int) -> str:
    """Which number was taken for which?"""
    code = got[0] if isinstance(got, list) and got else got
    number = wanted[1]
    if code in (raw, str(raw)) and raw not in (0, wanted[0]):
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    if isinstance(number, int) and code == 128 + number:
        return "128 + n is a habit of shells; the kernel says which signal it was, and that there is no code."
    if isinstance(number, int) and code == -number:
        return "a negative code is how Python's subprocess writes a signal."
    if isinstance(number, int) and code == 0:
        return "WEXITSTATUS read without asking WIFEXITED first: a process that a signal ended has no code."
    if isinstance(got, list) and len(got) > 1 and got[0] == wanted[0] and got[1] == 0:
        return "WTERMSIG read although the program exited by itself: there was no signal, so it is None."
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
    number = random.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1, signal.SIGALRM))
    result = bench.play(LAUNCH, values={"argv": ["/bin/sh", "-c", f"kill -{int(number)} $$"]})
    _told(bench, "signal", result, [None, int(number), None], raw=int(number))


def _another_child(bench: Bench) -> None:
    code = random.randrange(3, 90)
    result = bench.play(BESIDE_ANOTHER, values={"argv": ["/bin/sh", "-c", f"sleep 0.05; exit {code}"]})
    expected = f"ExitInfo(code={code}), and the other child still to be waited for"
    value = ev.seen_value(result)
    if not isinstance(value, list):
        bench.fail("own", expected=expected, seen=ev.raised(result) or result.verdict)
        return
    made, left = value
    if made != ["ExitInfo", [code, None, None]] or left != 99:
        taken = left == "taken"
        bench.fail(
            "own",
            expected=expected,
            seen=f"you returned {_info(made[1])}" + (", and the other child's status was taken" if taken else ""),
            looks_like="os.wait() or waitpid(-1): the first child that ends, whosesoever it is." if taken else "",
        )
    bench.hold("own", seen="the other child's status was still there")


def _no_program(bench: Bench) -> None:
    result = bench.play(MISSING, values={"argv": [f"/no/such/program-{random.randrange(10**6)}"]})
    lines = result.files.get("returned", b"").decode(errors="replace").splitlines()
    expected = "one process returns, with ExitInfo(code=127)"
    if len(lines) > 1 or any(process.ran_on for process in result.children):
        bench.fail(
            "stays",
            expected=expected,
            seen=f"{len(lines)} processes came out of launch: {'; '.join(lines)[:200]}",
            looks_like="the child ran past its branch: execv raised, and the error carried the child into your caller.",
        )
    words = lines[0].partition(" ")[2] if lines else ev.raised(result) or result.verdict
    if words != "ExitInfo [127, None, None]":
        looks_like = "exit code 1 (or 0) for a program that was not found; shells and container runtimes say 127."
        bench.fail(
            "stays", expected=expected, seen=words, looks_like=looks_like if words.startswith("ExitInfo") else ""
        )
    bench.hold("stays", seen="the child ended with code 127 and one process returned")


def _ten(bench: Bench) -> None:
    codes = random.sample(range(3, 120), 10)
    result = bench.play(MANY, values={"codes": codes})
    said = [result.files.get(f"said-{number}", b"nothing").decode(errors="replace").strip() for number in range(10)]
    wrong = [(code, words) for code, words in zip(codes, said, strict=True) if words != str(code)]
    if wrong:
        code, words = wrong[0]
        zombie = "a child is left" in words
        bench.fail(
            "many",
            expected=f"code {code} and no child left",
            seen=f"{words} ({len(wrong)} of 10 are wrong)",
            looks_like="a child that nobody waited for stays behind as a zombie." if zombie else "",
        )
    bench.hold("many", seen="ten codes, no child left")


EXERCISE = Exercise(
    slug="m2_1_process_creation",
    title="launch(argv): a process, a program, its end",
    functions=("launch",),
    requirements=REQUIREMENTS,
    judge=judge,
)
