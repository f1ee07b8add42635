"""How the hidden requirements of M2.4 are judged."""

from __future__ import annotations

import random
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_4_metadata.diagnose import shown
from udock_lab.grading.exercises.m2_4_metadata.scenes import SECONDS
from udock_lab.grading.exercises.m2_4_metadata.tables import tables
from udock_lab.grading.exercises.m2_4_metadata.watching import UNSTEPPED
from udock_lab.grading.tables import a_row, a_zone, an_ending
from udock_lab.model import SandboxResult

from . import scenes

__all__ = ["STORIES"]

_IDLE = "the function changed nothing, so nothing is to be seen of this"
_MODES = [(0o640, 0o077), (0o664, 0o022), (0o600, 0o000), (0o604, 0o022)]  # permissions of the table, and the umask


def _seen(bench: Bench, key: str, expected: str, result: SandboxResult) -> Any:
    """Return what a scene told; the requirement fails where it did not come to its end."""
    value = ev.seen_value(result)
    if not value:
        bench.fail(key, expected=expected, seen=ev.raised(result) or result.verdict, by="effects")
    return value


@story("mode")
def permissions(bench: Bench) -> None:
    """Look at the permissions from call to call, under different umasks."""
    expected = "the permissions that the table had, at every moment"
    rows = [a_row(number) for number in random.sample(range(10, 99), 10)]
    _, east = a_zone(summer_time=True)
    values = {
        "seconds": SECONDS,
        "table": b"".join(row.line(east) for row in rows),
        "calls": [("update", [*an_ending(rows[5], "exited", 3)]), ("save", [*a_row(700)])],
        "modes": _MODES,
    }
    played = bench.play(scenes.modes, values, apart=True, trace=False, watch=False)
    for call, mode, modes, changed, _ in _seen(bench, "mode", expected, played):
        if not changed:
            bench.fail("mode", expected=expected, seen=f"{call}: {_IDLE}", by="effects")
        if modes != [mode]:
            seen = f"{call}: {', '.join(_octal(one) for one in modes)} (seen one after the other)"
            late = modes[-1] == mode and len(modes) > 1
            bench.fail("mode", expected=f"{expected}: {mode:#o}", seen=seen, looks_like=_WHEN[late], by="kernel")
    bench.hold("mode", seen="the table's permissions at every system call", by="kernel")


_WHEN = {
    True: "chmod behind the rename: for a moment nobody else may read the table, and a kill makes it last.",
    False: "a new file has permissions of its own: 0600 by mkstemp, what the umask leaves by open.",
}


def _octal(mode: int | None) -> str:
    return "no table" if mode is None else f"{mode:#o}"


@story("tidy")
def failures(bench: Bench) -> None:
    """Fail in all the ways there are; first an update that can be done, without which there is nothing to see."""
    expected = "nothing beside the table, however an update fails"
    _, east = a_zone(summer_time=True)
    rows = [a_row(number) for number in random.sample(range(10, 99), 40)]
    table, ending = b"".join(row.line(east) for row in rows), an_ending(rows[20], "exited", 3)
    update, unknown = ("update", [*ending]), ("update", [*ending._replace(id="c500")])
    jobs = [(update, -1), (unknown, -1), (update, len(table) - 7), (update, len(table) // 3), (update, 0)]
    values = {"seconds": SECONDS, "table": table, "jobs": jobs}
    found = _seen(bench, "tidy", expected, bench.play(scenes.rooms, values, apart=True, trace=False, watch=False))
    if not found[0][1]:
        bench.fail("tidy", expected=expected, seen=_IDLE, by="effects")
    when = ("of an id that is not there", "without room for the last bytes", "with room for a third", "without room")
    for what, (left, _) in zip(when, found[1:], strict=True):
        if left:
            seen = f"after an update {what}: {left[0]}"
            words = "the temporary file is removed for some errors only. write and close may fail, too."
            bench.fail("tidy", expected=expected, seen=seen, looks_like=words, by="effects")
    bench.hold("tidy", seen="the table's folder holds the table and nothing else", by="effects")


@story("again")
def next_update(bench: Bench) -> None:
    """Kill an update at each of its system calls, then update a table that has become shorter."""
    expected = "the table as the next update makes it"
    made = tables()
    values = {
        "secret": made.secret,
        "seconds": SECONDS,
        "table": made.old,
        "fewer": made.fewer,
        "update": made.update,
    }
    found = _seen(bench, "again", expected, bench.play(scenes.again, values, apart=True, trace=False, watch=False))
    if found["stepped"] and not found["after"]:
        bench.fail("again", expected=expected, seen=_IDLE, by="effects")
    if found["undisturbed"] == made.fewer.decode("latin-1"):
        bench.fail("again", expected=expected, seen=_IDLE, by="effects")
    for name, text in found["after"]:
        if text != found["undisturbed"]:
            got = (text or "").encode("latin-1")
            seen = f"killed before {name}, then updated: {_told(got, made.fewer)}"
            bench.fail("again", expected=expected, seen=seen, looks_like=_left(got, made.fewer), by="kernel")
    if found["stepped"]:
        bench.hold("again", seen=f"{len(found['after'])} kills, and each time the next update works", by="kernel")
    else:
        bench.skip("again", UNSTEPPED)


def _told(got: bytes, fewer: bytes) -> str:
    return "the table as it was" if got == fewer else shown(got) if got else "an empty table, or none"


def _left(got: bytes, fewer: bytes) -> str:
    if got == fewer:
        return "what the killed one left is in the way: a name that is taken, or a lock that nobody holds any more."
    return "what the killed one left is in the new table: it was longer, or only half written."


STORIES = (permissions, failures, next_update)
