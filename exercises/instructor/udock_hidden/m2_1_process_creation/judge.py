"""How the hidden requirements of M2.1 are judged."""

from __future__ import annotations

import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_1_process_creation.witness import literal
from udock_lab.grading.submission import patience
from udock_lab.model import SandboxResult

from . import scenes

__all__ = ["STORIES"]

SECONDS = 5.0
ALL_CODES = 10.0  # seconds; it takes as long as the slow one, and more where a launch looks now and then
LONG = 3.0  # seconds that a program takes: none is hopeless after a second or two
TWICE = ["/bin/sh", "-c", "echo once >> times; exit $(wc -l < times)"]  # the same words, and another end
# The shell itself has open what it inherited; what it opens for a command in brackets is that command's.
TELLS = (
    "(stat -L -c '%n %d:%i' /proc/$$/fd/*) > files 2> /dev/null; (cat /proc/$$/environ) > environment; echo done > told"
)


@story("codes")
def codes(bench: Bench) -> None:
    """Launch all codes there are, a program that takes its time, and the same words twice."""
    slow = ["/bin/sh", "-c", f"sleep {LONG * min(patience(), 2.0):.2f}; exit 5"]
    values = {"slow": slow, "twice": TWICE}
    result = bench.play(scenes.every_code, values=values, timeout=ALL_CODES, trace=False, watch=False)
    said = _said(result)
    wrong = [f"{code} as {said.get(code, ('nothing', None))[0]}" for code in range(256) if _is_not(said, code, code)]
    if _is_not(said, -1, 5):
        wrong.append(f"5, after three seconds, as {said.get(-1, ('nothing', None))[0]}")
    again = [one.plain if one is not None else None for one in map(ev.heard, _two(result.value))]
    if not wrong and again != [(1, None, None), (2, None, None)]:
        wrong.append(f"1 and 2, of the same words, as {again}")
    if not wrong and len(result.files.get("ran", b"").split()) != 256:
        wrong.append("programs that nobody ran")
    if wrong:
        more = f", and {len(wrong) - 9} more" if len(wrong) > 9 else ""
        bench.fail("codes", expected="each code as it is", seen=", ".join(wrong[:9]) + more, looks_like=_why(said))
    bench.hold("codes", seen="256 codes", by="effects")


def _said(result: SandboxResult) -> dict[int, tuple[str, object]]:
    """Return what launch said of each program, by its code: as the learner would write it, and as plain data."""
    found: dict[int, tuple[str, object]] = {}
    for name in (*map(str, range(scenes.AT_ONCE)), "slow"):
        lines = literal(result.files.get(f"said-{name}", b""))
        for line in lines if isinstance(lines, list) else []:
            if isinstance(line, list) and len(line) == 3 and isinstance(line[0], int):
                found[line[0]] = (str(line[1]), line[2][0] if isinstance(line[2], list) and line[2] else None)
    return found


def _is_not(said: dict[int, tuple[str, object]], program: int, code: int) -> bool:
    return repr(said.get(program, ("", None))[1]) != repr((code, None, None))


def _two(value: object) -> list[object]:
    return value if isinstance(value, list) and len(value) == 2 else [None, None]


def _why(said: dict[int, tuple[str, object]]) -> str:
    wrong = {code for code in range(256) if _is_not(said, code, code)}
    if not wrong and _is_not(said, -1, 5):
        return "a program that takes its time is given up. Nobody knows how long a program takes: wait for its end."
    if not wrong:
        return "an answer kept from the time before, or the caller's list changed: the same list is launched twice."
    if wrong == {0}:
        return "code 0 taken for no code: 0 and None are two things."
    if wrong <= {126, 127}:
        return "126 and 127 taken for a failed exec: any program may exit with them."
    if wrong <= set(range(128, 256)):
        return "codes from 128 on taken for signals, as shells write them, or for negative numbers."
    return ""


@story("inherits")
def inherits(bench: Bench) -> None:
    """Launch a program that tells what it got; the kernel, in /proc, is its witness."""
    variables = {
        "UDOCK_TOKEN": f"{random.randrange(10**9)} and more",
        "UDOCK_EMPTY": "",
        "UDOCK_LINES": " two\nlines = many ",
    }
    values = {"variables": variables, "script": TELLS}
    result = bench.play(scenes.inherited, values=values, timeout=SECONDS, trace=False, watch=False)
    expected = "the caller's environment; its 0, 1 and 2 and no other file"
    value = result.value if isinstance(result.value, dict) else {}
    if "told" not in result.files:
        said = ev.heard(value.get("told"))
        seen = ev.worded(said, "launch") if said is not None else result.verdict
        bench.fail("inherits", expected=expected, seen=f"the program did not run: {seen}", by="effects")
    problems = [*_other_files(result, value.get("files")), *_other_variables(result, value.get("environment"))]
    if problems:
        bench.fail("inherits", expected=expected, seen="; ".join(problems), looks_like=_cause(problems), by="effects")
    bench.hold("inherits", seen="0, 1, 2 and the environment", by="effects")


def _other_files(result: SandboxResult, ours: object) -> list[str]:
    """Say which files the program had that are not its caller's, or had not."""
    words = [line.rsplit(" ", 1) for line in result.files.get("files", b"").decode(errors="replace").splitlines()]
    theirs = {path.rpartition("/")[2]: identity for path, identity in (pair for pair in words if len(pair) == 2)}
    known = ours if isinstance(ours, dict) else {}
    found = [f"{number} is not open" for number in sorted(set(known) - set(theirs))]
    found += [
        f"{number} is another file than the caller's"
        for number in known
        if theirs.get(number, known[number]) != known[number]
    ]
    return found + [f"{number} is open, too" for number in sorted(set(theirs) - set(known))]


def _other_variables(result: SandboxResult, ours: object) -> list[str]:
    """Say which variables the program had that its caller has not, or has otherwise."""
    pairs = [pair.split(b"=", 1) for pair in result.files.get("environment", b"").split(b"\0") if b"=" in pair]
    theirs, known = dict(pairs), ours if isinstance(ours, dict) else {}
    kinds = (
        ("are missing", [name for name in known if name not in theirs]),
        ("were added", [name for name in theirs if name not in known]),
        ("have another value", [name for name in known if theirs.get(name, known[name]) != known[name]]),
    )
    named = ((what, ", ".join(name.decode(errors="replace") for name in names)) for what, names in kinds if names)
    return [f"variables {what}: {names}" for what, names in named]


def _cause(problems: list[str]) -> str:
    """Say what the first problem looks like."""
    if "is open, too" in problems[0]:
        return "a descriptor that was made inheritable, or copied with dup2, and never closed in the child."
    if "is another file" in problems[0]:
        return "input or output turned elsewhere (a pipe, /dev/null). It is the caller's, who may have other plans."
    if "is not open" in problems[0]:
        return "0, 1 or 2 closed, too: they are what a program begins with."
    if problems[0].startswith("variables are missing") and "PATH" in problems[0]:
        return "execve's third argument taken for additions: it is the whole environment, and {} is an empty one."
    if problems[0].startswith("variables are missing"):
        return "an environment that was copied or put together before: os.environ as it is at the call is asked for."
    return "an environment that launch has changed: the program gets its caller's."


STORIES = (codes, inherits)
