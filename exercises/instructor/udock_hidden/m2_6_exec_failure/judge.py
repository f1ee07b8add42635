"""How the hidden requirements of M2.6 are judged."""

from __future__ import annotations

import errno
import random

from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_6_exec_failure.comparing import compare, nothing, seen_of
from udock_lab.grading.exercises.m2_6_exec_failure.told import Program, held, run_all, turns

__all__ = ["STORIES"]

_ODD = (
    ("loop", "./loop", "a link to itself", errno.ELOOP),
    ("inside", "./closed/inside", "a path through a file that is no folder", errno.ENOTDIR),
    ("name", "./" + "x" * 300, "a name of 300 letters", errno.ENAMETOOLONG),
    ("long", "/bin/sh", "a word of 140,000 letters", errno.E2BIG),
)
_TURNS = ("turn-a", "turn-b", "turn-c")


@story("errnos")
def other_errnos(bench: Bench) -> None:
    """Judge errors of execve that no lesson shows, beside one that it shows."""
    programs = [
        Program("missing", ["./no-such-thing"]),
        *(Program(name, [path, *["x" * 140_000] * (name == "long")]) for name, path, _, _ in _ODD),
        *(Program(name, [f"./{name}"], "exit", "codes", turn="turns") for name in _TURNS),
    ]
    files = {"closed": ("no folder", 0o644), **turns(_TURNS)}
    told = run_all(bench, programs, files, {"turns": ("ELOOP", "ENOTDIR", "EACCES"), "codes": range(3, 100)})
    for name, _, what, number in _ODD:
        if not compare(bench, "errnos", told, name, what, [126, None, number]):
            return
    for name in _TURNS:
        run = told.programs.get(name)
        what = f"a script whose interpreter gives {run.turn}" if run else "a script"
        if not compare(bench, "errnos", told, name, what, told.wanted(name)):
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
    program = held("inherits", "exit", "codes", *words)
    told = run_all(bench, [program], pools={"codes": range(3, 100)}, variables={"UDOCK_TOKEN": token})
    run = told.programs.get("inherits")
    wanted = program.argv
    if run is None or not run.ran:
        seen = seen_of(run) if run else nothing(told)
        bench.fail("inherits", expected=repr(wanted), seen=seen)
        return
    got = [_text(word) for word in run.ran[0]["words"]]
    if got != wanted:
        bench.fail("inherits", expected=repr(wanted), seen=repr(got), looks_like="words were dropped, joined or split.")
    there, here = (dict(map(_pair, map(_text, found))) for found in (run.ran[0]["variables"], told.end["variables"]))
    if different := sorted(name for name in there.keys() | here.keys() if there.get(name) != here.get(name)):
        name = different[0]
        seen = f"{name} is {there.get(name)!r} in the program and {here.get(name)!r} in its caller"
        bench.fail("inherits", expected="the environment of the caller", seen=seen)
    bench.hold("inherits")


def _text(data: str) -> str:
    """Return what stands there a byte a character."""
    return data.encode("latin-1").decode("utf-8", "surrogateescape")


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


STORIES = (other_errnos, words_and_environment)
