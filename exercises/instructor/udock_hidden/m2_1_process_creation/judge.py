"""How the hidden requirements of M2.1 are judged."""

from __future__ import annotations

import random
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_1_process_creation.witness import literal
from udock_lab.grading.submission import patience
from udock_lab.sandbox.preparing import PLAIN_ENVIRONMENT

from . import scenes

__all__ = ["STORIES"]

SECONDS = 5.0
ALL_CODES = 10.0  # seconds; it takes as long as the slow one, and more where a launch looks now and then
LONG = 3.0  # seconds that a program takes: none is hopeless after a second or two
_OURS = frozenset(PLAIN_ENVIRONMENT)


@story("codes")
def codes(bench: Bench) -> None:
    """Launch all codes there are, a program that takes its time, and the same words twice."""
    result = bench.play(
        scenes.every_code,
        values={"slow": LONG * min(patience(), 2.0)},
        timeout=ALL_CODES,
        apart=True,
        trace=False,
        watch=False,
        processes=100,
    )
    value = result.value if isinstance(result.value, dict) else {}
    ran, said = _ran(value), _said(value)
    missing = [f"program {number} was not run" for number in range(256) if f"codes-{number}" not in ran]
    told = {codes[-1]: said.get(name, ("nothing", None)) for name, codes in ran.items() if name.startswith("codes-")}
    wrong = [f"{code} as {told[code][0]}" for code in sorted(told) if _is_not(told, code)]
    if not missing and _is_not({5: said.get("slow-0", ("", None))}, 5):
        wrong.append(f"5, after three seconds, as {said.get('slow-0', ('nothing', None))[0]}")
        told[-1] = said.get("slow-0", ("nothing", None))
    again = [said.get(name, ("", None))[1] for name in ("twice-0", "twice-0 again")]
    if not missing and not wrong and again != [(code, None, None) for code in ran.get("twice-0", ())]:
        wrong.append(f"{' and '.join(map(str, ran.get('twice-0', ())))}, of the same words, as {again}")
    if wrong or missing:
        seen = [*wrong, *missing] if wrong else [result.verdict] if not value else missing
        more = f", and {len(seen) - 9} more" if len(seen) > 9 else ""
        bench.fail("codes", expected="each code as it is", seen=", ".join(seen[:9]) + more, looks_like=_why(told))
    bench.hold("codes", seen="256 codes", by="effects")


def _ran(value: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the codes that programs were told by the referee, by their names: children of who launches them."""
    callers = {name: pid for act, (pid, _) in value.get("said", {}).items() for name in value["names"][act]}
    found: dict[str, tuple[int, ...]] = {}
    for name, parent, end in value.get("programs", []):
        if parent == callers.get(name) and end.startswith("exit "):
            found[name] = (*found.get(name, ()), int(end.removeprefix("exit ")))
    return found


def _said(value: dict[str, Any]) -> dict[str, tuple[str, object]]:
    """Return what launch said of each program: as the learner would write it, and as plain data."""
    found: dict[str, tuple[str, object]] = {}
    for act, (_, answers) in value.get("said", {}).items():
        for name, text in zip(value["names"][act], answers, strict=False):
            one = ev.heard(literal(text))
            if one is not None:
                found[f"{name} again" if name in found else name] = (one.shown, one.plain)
    return found


def _is_not(said: dict[int, tuple[str, object]], code: int) -> bool:
    return repr(said.get(code, ("", None))[1]) != repr((code, None, None))


def _why(said: dict[int, tuple[str, object]]) -> str:
    wrong = {code for code in said if code >= 0 and _is_not(said, code)}
    if not wrong and -1 in said:
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
    result = bench.play(
        scenes.inherited,
        values={"variables": variables},
        timeout=SECONDS,
        apart=True,
        trace=False,
        watch=False,
    )
    expected = "the caller's environment; its 0, 1 and 2 and no other file"
    value = result.value if isinstance(result.value, dict) else {}
    if not value.get("met"):
        said = next((ev.heard(literal(text)) for text in value.get("answers", [])), None)
        seen = ev.worded(said, "launch") if said is not None else result.verdict
        bench.fail("inherits", expected=expected, seen=f"the program did not run: {seen}", by="effects")
    if value["files"] is None and not value["shown"]:
        bench.skip("inherits", "this machine does not show the open files of another process (/proc/PID/fd)")
        return
    if value["files"] is None:
        bench.fail("inherits", expected=expected, seen="a process that hides its open files: it is no program launched")
    problems = [*_other_files(value), *_other_variables(value, variables)]
    if problems:
        bench.fail("inherits", expected=expected, seen="; ".join(problems), looks_like=_cause(problems), by="kernel")
    bench.hold("inherits", seen="0, 1, 2 and the environment", by="kernel")


def _other_files(value: dict[str, Any]) -> list[str]:
    """Say which files the program had that are not its caller's, or had not."""
    theirs, known = value["files"], value["standard"]
    found = [f"{number} is not open" for number in sorted(set(known) - set(theirs))]
    found += [
        f"{number} is another file than the caller's"
        for number in known
        if theirs.get(number, known[number]) != known[number]
    ]
    return found + [f"{number} is open, too" for number in sorted(set(theirs) - set(known))]


def _other_variables(value: dict[str, Any], drawn: dict[str, str]) -> list[str]:
    """Say which variables the program had that its caller has not, or has otherwise.

    What the caller has is the referee's own environment with what was drawn; beyond that its word counts: the notebook
    may have set more.
    """
    pairs = [pair.split("=", 1) for pair in value["theirs"].decode("latin-1").split("\0") if "=" in pair]
    theirs, ours = dict(pairs), {name: text for name, text in value["ours"].items() if name in _OURS or name in drawn}
    known = ours | {name: text for name, text in _pairs(value["environment"]) if name not in drawn}
    kinds = (
        ("are missing", [name for name in known if name not in theirs]),
        ("were added", [name for name in theirs if name not in known]),
        ("have another value", [name for name in known if theirs.get(name, known[name]) != known[name]]),
    )
    return [f"variables {what}: {', '.join(names)}" for what, names in kinds if names]


def _pairs(told: object) -> list[tuple[str, str]]:
    return (
        [(str(one[0]), str(one[1])) for one in told if isinstance(one, list) and len(one) == 2]
        if isinstance(told, list)
        else []
    )


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
