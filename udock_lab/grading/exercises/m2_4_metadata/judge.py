"""M2.4: how ``save`` and ``update`` are seen: by the tables they leave, and by others who look on meanwhile.

Every scene is a referee's (referee.py): the evidence is the table, read by a process that never loaded the answer.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_4_metadata import diagnose as looks
from udock_lab.grading.exercises.m2_4_metadata import scenes
from udock_lab.grading.exercises.m2_4_metadata.diagnose import shown
from udock_lab.grading.exercises.m2_4_metadata.tables import (
    a_clock,
    among_damage,
    finishing,
    lines_that_are_none,
    rows_for_times,
)
from udock_lab.grading.exercises.m2_4_metadata.watching import whole_and_beside
from udock_lab.grading.referee import time_is_up
from udock_lab.grading.tables import Ending, Row, a_row, an_ending, local
from udock_lab.model import SandboxResult
from udock_lab.sandbox.removal import SHARED

__all__ = ["STORIES"]

_STILL_AT_WORK = "had not come back after"

# -- what calls left ------------------------------------------------------------------------------------


class Played:
    """What the calls of several jobs left: a table for each name, and what the calls said."""

    def __init__(self, result: SandboxResult) -> None:
        self.result = result
        value = ev.seen_value(result)
        self.found: dict[str, Any] = value if isinstance(value, dict) else {}

    def table(self, name: str) -> bytes | None:
        """Return the table; None where there is none."""
        text = self.found[name][0] if name in self.found else None
        return text.encode("latin-1") if text is not None else None

    def error(self, name: str) -> ev.Said | None:
        """Return what the first call said that did not come back with a value."""
        told = self.found[name][1] if name in self.found else None
        heard = [ev.heard(one) for one in told] if isinstance(told, list) else []
        return next((said for said in heard if said is not None and not said.returned), None)

    def trouble(self, name: str, function: str) -> str:
        """Say why there is no table as it should be, if a call did not come back with a value; nothing otherwise."""
        if name not in self.found:
            return ev.raised(self.result) or self.result.verdict
        if (said := self.error(name)) is not None:
            return ev.worded(said, function)
        _, told, status = self.found[name]
        if time_is_up(status):
            return f"{function} {_STILL_AT_WORK} {scenes.SECONDS:.0f} seconds of work, and was ended"
        if told is None and os.WIFSIGNALED(status):
            return f"{function} ended the process: signal {os.WTERMSIG(status)}"
        return "" if isinstance(told, list) else f"{function} ended the process: no call came back"


def _play(
    bench: Bench, zone: str, jobs: Sequence[tuple[str, bytes | None, list[tuple[str, list[Any]]], int]]
) -> Played:
    values = {"zone": zone, "seconds": scenes.SECONDS, "jobs": list(jobs)}
    return Played(bench.play(scenes.calls, values, apart=True, trace=False, watch=False))


def _save(*rows: Row) -> list[tuple[str, list[Any]]]:
    return [("save", [*row]) for row in rows]


def _update(*endings: Ending) -> list[tuple[str, list[Any]]]:
    return [("update", [*ending]) for ending in endings]


# -- phase 1 --------------------------------------------------------------------------------------------


@story("saves", "times", "keeps")
def phase_one(bench: Bench) -> None:
    """Save into tables that are not there, in order, torn, empty; at times that tell clocks apart."""
    clock = a_clock()
    timed = rows_for_times(clock)
    row, second = timed[0][1], timed[1][1]
    before, after = lines_that_are_none("c7")
    well, in_order = b"".join([*before, *after[:-1]]), a_row(501).line(clock.summer)
    old = {
        "in-order": in_order,
        "ends-well": well,
        "torn": well + after[-1],
        "torn-behind-seven": in_order + a_row(502).line(clock.summer)[:-1],
        "torn-alone": b"c7|47",
        "empty": b"",
    }
    jobs = [(name, None, _save(one), 0) for name, one, _ in timed]
    jobs += [("two", None, _save(row, second), 0)]
    jobs += [(name, data, _save(row), 0) for name, data in old.items()]  # type: ignore[misc]
    played = _play(bench, clock.zone, jobs)
    line = row.line(clock.summer)
    _judge_line(bench, line, played)
    _judge_place(bench, line, played, old)
    if not bench.holds("saves") and not played.table("fresh"):
        return  # nothing was written: the rest waits
    _judge_times(bench, played, timed, (clock.summer, clock.winter), clock.zone)
    own = played.table("fresh") or line  # in whatever format: that is judged above
    both = own + (second.line(clock.winter) if own == line else played.table("winter") or b"")
    tables = {"two": (own, both), **{name: (data, b"") for name, data in old.items()}}
    for name, (had, wanted) in tables.items():
        if not _judge_old_bytes(bench, name, had, own, wanted, played):
            return
    bench.hold("keeps", seen="every old byte in its place, the new record on a line of its own", by="effects")


def _judge_line(bench: Bench, wanted: bytes, played: Played) -> None:
    """Judge the line that save wrote into a new table; the time in it is a requirement of its own."""
    got, trouble = played.table("fresh"), played.trouble("fresh", "save")
    fields, right, at = (got or b"").split(b"|"), wanted.split(b"|"), 4
    if got and len(fields) == len(right) and fields[:at] + fields[at + 1 :] == right[:at] + right[at + 1 :]:
        return
    seen = shown(got) if got else trouble or ("no table was made" if got is None else "an empty table")
    words = looks.wrong_line(got, played.error("fresh"))
    bench.fail("saves", expected=shown(wanted), seen=seen, looks_like=words, by="effects", go_on=True)


def _judge_place(bench: Bench, line: bytes, played: Played, old: dict[str, bytes]) -> None:
    """Judge the place of a record that is in the table at all: the end."""
    if "saves" in bench.judged:
        return
    fresh = played.table("fresh") or line
    for name in old:
        got = played.table(name) or b""
        if fresh in got and not got.endswith(fresh):
            words = "a record put where it does not belong: whoever reads the last lines for the newest gets others."
            expected = f"{shown(fresh)} as the last line"
            bench.fail("saves", expected=expected, seen=shown(got), looks_like=words, by="effects", go_on=True)
            return
    bench.hold("saves", seen=f"the table ends with {shown(fresh)}", by="effects")


def _judge_times(
    bench: Bench, played: Played, timed: list[tuple[str, Row, int]], zones: tuple[int, int], zone: str
) -> None:
    """Judge the start times, where a line has a place for one."""
    for name, row, east in timed:
        fields = (played.table(name) or b"").split(b"|")
        if len(fields) < 5:
            if bench.holds("saves"):
                seen = played.trouble(name, "save") or shown(played.table(name) or b"")
                bench.fail("times", expected=local(row.start_time, east), seen=seen, by="effects", go_on=True)
            else:
                bench.wait("times", "saves")
            return
        told, true = fields[4].decode(errors="backslashreplace").rstrip("\n"), local(row.start_time, east)
        if told != true:
            words = looks.another_time(told, true, row.start_time, zones, time.time())
            expected = f"{true!r} for {row.start_time!r}"
            tried = {"zone": zone, "start": row.start_time, "time": true}
            bench.fail(
                "times", expected=expected, seen=repr(told), looks_like=words, by="effects", go_on=True, tried=tried
            )
            return
    bench.hold(
        "times",
        seen=f"{local(timed[0][1].start_time, timed[0][2])!r}, in winter and just before midnight too",
        by="effects",
    )


def _judge_old_bytes(bench: Bench, name: str, old: bytes, line: bytes, wanted: bytes, played: Played) -> bool:
    """Judge the old bytes, a newline where they lack one, and the record."""
    newline = b"" if old.endswith(b"\n") or not old or name == "two" else b"\n"
    wanted = wanted or old + newline + line
    got = played.table(name)
    if got == wanted:
        return True
    error, trouble = played.error(name), played.trouble(name, "save")
    if name == "two":
        line = wanted[len(old) :]
    seen, words = looks.old_bytes(old, line, got, error, seven=name == "torn-behind-seven")
    expected = f"all {len(old)} old bytes, then {shown(newline + line)}"
    bench.fail("keeps", expected=expected, seen=trouble or seen, looks_like=words, by="effects", go_on=True)
    return False


# -- phase 2 --------------------------------------------------------------------------------------------


@story("finishes", "others", "refuses")
def phase_two(bench: Bench) -> None:
    """Update a table in order, one with lines that are no records, and what cannot be done."""
    clock = a_clock()
    ends, among = finishing(clock.summer), among_damage(clock.summer)
    impossible = _impossible(clock.summer)
    jobs = [
        ("three-end", b"".join(ends.before), _update(*ends.endings), 0),
        ("damaged", b"".join(among.old), _update(among.ending), 0),
    ]
    jobs += [(name, old, _update(ending), room) for name, (_, old, ending, room) in impossible.items()]
    played = _play(bench, clock.zone, jobs)
    changed = played.table("three-end") != b"".join(ends.before)
    trouble = played.trouble("three-end", "update")
    if not changed and any(f"'{folder}/" in trouble for folder in SHARED):  # there some sandboxes let nobody write
        for key in ("finishes", "others", "refuses"):
            bench.wait(key, "beside")
        return
    _judge_finish(bench, ends.before, ends.after, ends.endings, played, (clock.summer, clock.winter))
    _judge_others(bench, among.old, among.new, among.row.id, played)
    if not changed:  # who changes nothing keeps all tables as they are
        bench.wait("refuses", "finishes")
        return
    _judge_refusals(bench, impossible, played)


def _judge_finish(
    bench: Bench,
    before: list[bytes],
    after: list[bytes],
    endings: list[Ending],
    played: Played,
    zones: tuple[int, int],
) -> None:
    got = played.table("three-end") or b""
    if got == b"".join(after):
        ended = next(line for line in after if line.startswith(f"{endings[0].id}|".encode()))
        bench.hold("finishes", seen=shown(ended), by="effects")
        return
    trouble, error = played.trouble("three-end", "update"), played.error("three-end")
    lines, wanted, old = (table.split(b"\n") for table in (got, b"".join(after), b"".join(before)))
    at, words = looks.another_record(lines, wanted, old)
    seen = lines[at] if at < len(lines) else b""
    if words == "time":
        ending = next(one for one in endings if wanted[at].startswith(f"{one.id}|".encode()))
        told, true = seen.split(b"|")[5].decode(errors="backslashreplace"), wanted[at].split(b"|")[5].decode()
        words = looks.another_time(told, true, ending.end_time, zones, time.time())
    if trouble:
        words = looks.wrong_line(got, error) if error is not None and error.is_a("NotImplementedError") else ""
        if not words and error is not None and error.is_a("LookupError"):
            words = "a record that is in the table was not found. Look there: another process may have saved it."
        if not words and _STILL_AT_WORK in trouble:
            words = "a loop that never ends. At the end of a file read and readline give nothing, again and again."
    seen_words = trouble or (shown(seen) if seen else "no such line" if at >= len(lines) else "an empty line")
    expected = shown(wanted[at]) if at < len(wanted) else "no more lines than before"
    if not trouble and [*lines, b""] == wanted:
        expected, seen_words = "a newline behind the last line, as before", "none"
    bench.fail("finishes", expected=expected, seen=seen_words, looks_like=words, by="effects", go_on=True)


def _judge_others(bench: Bench, old: list[bytes], new: list[bytes], name: str, played: Played) -> None:
    """Judge the lines that are not the record; what became of the record itself is judged above."""
    got, wanted = played.table("damaged"), b"".join(new)
    at = next(n for n, (one, two) in enumerate(zip(old, new, strict=True)) if one != two)
    if not bench.holds("finishes"):
        if got is None or got == b"".join(old):
            bench.wait("others", "finishes")
            return
        lines = got.split(b"\n")
        if len(lines) == wanted.count(b"\n") + 1 and lines[at].startswith(f"{name}|".encode()):
            got = b"\n".join([*lines[:at], new[at].rstrip(b"\n"), *lines[at + 1 :]])
    if got == wanted:
        bench.hold("others", seen=f"{len(new) - 1} other lines as they were", by="effects")
        return
    trouble, error = played.trouble("damaged", "update"), played.error("damaged")
    seen = trouble or looks.first_difference(wanted, got or b"")
    words = looks.lines_of_others(wanted, got or b"", error, name.encode())
    bench.fail(
        "others", expected=f"only {shown(old[at])} changes", seen=seen, looks_like=words, by="effects", go_on=True
    )


# -- what cannot be done --------------------------------------------------------------------------------


def _impossible(east: int) -> dict[str, tuple[str, bytes, Ending, int]]:
    """Return updates that cannot be done: ids that are not there, then a disk with too little room.

    Each: what is expected, the table, the call, room for so many bytes.
    """
    rows = [a_row(number) for number in random.sample(range(10, 80), 60)]
    image = a_row(82, "c83")
    whole = b"".join(row.line(east) for row in [*rows, image])
    torn, _ = lines_that_are_none("c81")
    broken = b"".join([rows[0].line(east), *torn])
    ending = an_ending(rows[40], "exited", 1)
    unknown = {
        "longer": (rows[5].id + "7", whole),
        "shorter": (rows[6].id[:-1], whole),
        "image": ("c83", whole),
        "torn": ("c81", broken),
    }
    found = {
        f"unknown-{how}": (f"LookupError for {name}", data, ending._replace(id=name), 0)
        for how, (name, data) in unknown.items()
    }
    for name, room, words in (("half", len(whole) // 2, "half of it"), ("most", len(whole) - 3, "all but its end")):
        found[f"room-for-{name}"] = (f"an error on a disk with room for {words}", whole, ending, room)
    return found


def _judge_refusals(bench: Bench, impossible: dict[str, tuple[str, bytes, Ending, int]], played: Played) -> None:
    told = []
    for name, (what, old, ending, room) in impossible.items():
        got, error = played.table(name), played.error(name)
        fits = error is not None and (bool(room) or error.is_a("LookupError"))
        told.append(f"{error.kind if error else 'no error'}")
        if fits and got == old:
            continue
        said = played.trouble(name, "update") or "no error"
        state = "the table as it was" if got == old else f"{len(got or b''):,} bytes of {len(old):,}"
        words = looks.refusal(error, got != old, _touched(name, ending.id, fits))
        seen = f"{said}, and {state}"
        bench.fail(
            "refuses", expected=f"{what}, the table as it was", seen=seen, looks_like=words, by="effects", go_on=True
        )
        return
    bench.hold("refuses", seen=f"{', '.join(dict.fromkeys(told))}, and the table as it was", by="effects")


def _touched(name: str, wanted: str, raised: bool) -> str:
    if name == "unknown-torn":
        return (
            "a torn line completed. A record has exactly seven fields; what stood in those that are lost, nobody knows."
        )
    if name == "unknown-image":
        return f"{wanted} is the name of an image here. An id is the whole first field."
    if name.startswith("unknown"):
        return "an id that is not there taken for a new one, or for another; there is nothing that could end."
    if raised:
        return "the table was touched before the new one was whole."
    return "write taken for all or nothing. It writes what fits and says how much that was."


# -- while others look on -------------------------------------------------------------------------------


@story("whole", "beside")
def seen_by_others(bench: Bench) -> None:
    """Save, update, and both killed at each of their calls, while others look on."""
    whole_and_beside(bench)


STORIES = (phase_one, phase_two, seen_by_others)
