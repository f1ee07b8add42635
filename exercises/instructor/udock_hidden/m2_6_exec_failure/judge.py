"""How the hidden requirements of M2.6 are judged."""

from __future__ import annotations

import errno
import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_6_exec_failure import scenes
from udock_lab.grading.exercises.m2_6_exec_failure.comparing import compare, nothing
from udock_lab.grading.exercises.m2_6_exec_failure.told import PATIENCE, TIMEOUT, read, run_all
from udock_lab.grading.submission import patience
from udock_lab.model import SandboxResult

__all__ = ["STORIES"]

_ODD = (
    ("loop", "./loop", "a link to itself", errno.ELOOP),
    ("inside", "./closed/inside", "a path through a file that is no folder", errno.ENOTDIR),
    ("name", "./" + "x" * 300, "a name of 300 letters", errno.ENAMETOOLONG),
    ("long", "/bin/sh", "a word of 140,000 letters", errno.E2BIG),
)
_WRITES_DOWN = "cat /proc/$$/cmdline > words; cat /proc/$$/environ > environment"


@story("errnos")
def other_errnos(bench: Bench) -> None:
    """Judge errors of execve that no lesson shows, beside one that it shows."""
    programs = [(name, [path, *["x" * 140_000] * (name == "long")]) for name, path, _, _ in _ODD]
    told = run_all(bench, [("missing", ["./no-such-thing"]), *programs], {"closed": ("no folder", 0o644)})
    for name, _, what, number in _ODD:
        if not compare(bench, "errnos", told, name, what, [126, None, number]):
            return
    bench.hold("errnos")


@story("inherits")
def words_and_environment(bench: Bench) -> None:
    """Judge what the program got from its parent, word for word."""
    words = [
        f"name{random.randrange(100)}",
        "two words",
        "",
        "*",
        " blanks ",
        "-n",
        "a\ttab\nand a line",
        "\N{SNOWMAN}",
    ]
    token = f" {random.randrange(10**9)} and more "
    values = {"token": token, "script": _WRITES_DOWN, "words": words, "patience": PATIENCE * patience()}
    result = bench.play(scenes.inherits, values=values, timeout=TIMEOUT, trace=False, watch=False)
    wanted = ["/bin/sh", "-c", _WRITES_DOWN, *words]
    got = _strings(result, "words")
    if not got:
        said = [program.said for program in read(result).programs.values()]
        bench.fail("inherits", expected=repr(wanted), seen=ev.worded(said[0], "run") if said else nothing(result))
    if got != wanted:
        bench.fail("inherits", expected=repr(wanted), seen=repr(got), looks_like="words were dropped, joined or split.")
    there, here = (dict(map(_pair, _strings(result, name))) for name in ("environment", "callers-environment"))
    if different := sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name)):
        name = different[0]
        seen = f"{name} is {there.get(name)!r} in the program and {here.get(name)!r} in its caller"
        bench.fail("inherits", expected="the environment of the caller", seen=seen)
    if here.get("UDOCK_TOKEN") != token:
        bench.fail("inherits", expected="the environment of the caller", seen="its caller's is another one by then")
    bench.hold("inherits")


def _strings(result: SandboxResult, name: str) -> list[str]:
    """Return the strings of a file of /proc in which each ends with a zero byte."""
    data = result.files.get(name, b"")
    return data.decode("utf-8", "surrogateescape").removesuffix("\0").split("\0") if data else []


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


STORIES = (other_errnos, words_and_environment)
