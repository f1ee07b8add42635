"""M2.4: ``save(db, record)`` and ``update(db, id, status, end_time, exit_code)``: two phases, never a torn table."""

from __future__ import annotations

import random
from typing import Any, NamedTuple

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_4_metadata.requirements import REQUIREMENTS
from udock_lab.grading.scenario import apart, job
from udock_lab.grading.tables import (
    a_row,
    a_table,
    a_word,
    a_zone,
    an_ending,
    an_unmistakable_row,
    damaged,
    difference,
    mangled,
    misspelt,
    mistimed,
    shown,
    tidied,
)
from udock_lab.model import SandboxResult
from udock_lab.sandbox.removal import SHARED

__all__ = ["STORIES", "UNSTEPPED", "UNTRACED", "Tables", "watch"]


# The evidence is the table itself, and a listener of our own (tablewatch.py): strace would only cost time.
UNTRACED = {"trace": False, "watch": False}

# -- scenarios ------------------------------------------------------------------------------------------

_START = """
import os, time
os.environ["TZ"] = zone
time.tzset()
here = os.getcwd()
def __given(name, data):
    with open(f"{here}/{name}", "wb") as file:
        file.write(data)
    return f"{here}/{name}"
"""
CALLS = apart(
    "zone, saves, updates",
    _START
    + """
import resource
from udock_lab.grading import ContainerRecord
said = {}
def __call(name, function, *arguments):
    try:
        function(*arguments)
        said.setdefault(name, ["", "", False])
    except BaseException as error:
        said[name] = [type(error).__name__, str(error), isinstance(error, LookupError)]
for name, data, record in saves:
    __call(name, save, __given(name, data) if data is not None else f"{here}/{name}", ContainerRecord(*record))
for name, data, endings, room in updates:
    db, (soft, hard) = __given(name, data), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room or soft, hard))
    for ending in endings:
        __call(name, update, db, *ending)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
return said
""",
)
WATCH = apart(
    "zone, table, torn, fewer, secret, record, ending",
    _START
    + """
from udock_lab.grading import ContainerRecord
from udock_lab.grading.tablewatch import TableWatch
def saves(db):
    save(db, ContainerRecord(*record))
def updates(db):
    update(db, *ending)
watch = TableWatch(secret)
seen = {
    "saving": watch.steps(table, saves),
    "joining": watch.steps(torn, saves),
    "updating": watch.steps(table, updates),
}
stepped = seen["updating"]["stepped"]
cuts = [] if stepped else watch.kills(table, saves, seen["saving"], fewer)
kills = watch.kills(table, updates, seen["updating"], fewer)
return {**seen, "stepped": stepped, "cuts": cuts, "kills": kills, "texts": watch.texts}
""",
)


# -- the judge ------------------------------------------------------------------------------------------------


def judge(bench: Bench) -> None:
    """Judge phase 1, phase 2 and what cannot be done in one scenario; what others see meanwhile in another."""
    zone, east = a_zone(summer_time=True)
    stories = (_Save(east), _Finish(east), _Damaged(east), _Refuse(east))
    updates = [one for story in stories[1:] for one in story.jobs]
    values = job(zone=zone, saves=stories[0].jobs, updates=updates)
    played = Played(bench.play(CALLS, values=values, **UNTRACED))
    for story in stories[:-1]:
        story.judge(bench, played)
    _watched(bench)
    stories[-1].judge(bench, played)


class Played:
    """What a scenario of calls left: a table for each name, and what the call said."""

    def __init__(self, result: SandboxResult) -> None:
        self.result = result
        value = ev.seen_value(result)
        self.said: dict[str, list[object]] = value if isinstance(value, dict) else {}

    def table(self, name: str) -> bytes | None:
        return self.result.files.get(name)

    def error(self, name: str) -> str:
        """Return ``KeyError: 'c7'``, or nothing; where the calls did not come to an end, why not."""
        if name not in self.said:
            return ev.raised(self.result) or self.result.verdict
        kind, words, _ = self.said[name]
        return f"{kind}: {words}" if kind and words else str(kind)

    def is_lookup_error(self, name: str) -> bool:
        return bool(self.said[name][2]) if name in self.said else False


class _Save:
    """A table that is not there yet, one that is in order but for old damage, a torn last line, an empty one."""

    def __init__(self, east: int) -> None:
        before, after = damaged(a_row(7))
        well, torn = b"".join(before + after[:-1]), b"".join(before + after)
        self.old: dict[str, bytes | None] = {"fresh": None, "ends-well": well, "torn": torn, "empty": b""}
        self.rows = {name: an_unmistakable_row(random.randrange(1, 400), east) for name in self.old}
        self.lines = {name: row.line(east) for name, row in self.rows.items()}
        self.jobs = [(name, self.old[name], tuple(row)) for name, row in self.rows.items()]

    def judge(self, bench: Bench, played: Played) -> None:
        _judge_place(bench, self.lines["ends-well"], played.table("ends-well") or b"")
        _judge_line(bench, self.lines["fresh"], played.table("fresh"), played.error("fresh"))
        for name in ("ends-well", "torn", "empty"):
            _judge_old_bytes(bench, self.old[name] or b"", self.lines[name], played.table(name), played.error(name))
        bench.hold("keeps", seen="every old byte in its place, the new record on a line of its own", by="effects")


def _judge_place(bench: Bench, line: bytes, got: bytes) -> None:
    """Judge the place of a record that is in the table at all: the end."""
    if line in got and not got.endswith(line):
        words = "a record put where it does not belong: whoever reads the last lines for the newest gets others."
        bench.fail("saves", expected=f"{shown(line)} as the last line", seen=shown(got), looks_like=words, by="effects")


def _judge_line(bench: Bench, wanted: bytes, got: bytes | None, error: str) -> None:
    """Judge the line that save wrote into a new table; the time in it is a requirement of its own."""
    if not got:
        looks_like = "the function as it was handed out." if "NotImplemented" in error else ""
        if not error:
            looks_like = "phase 1 skipped. If mdock dies before the end, nobody knows that the container ran."
        seen = f"save raised {error}" if error else "no table was made" if got is None else "an empty table"
        bench.fail("saves", expected=shown(wanted), seen=seen, looks_like=looks_like, by="effects")
        return
    fields, right, at = got.split(b"|"), wanted.split(b"|"), 4
    if len(fields) != len(right) or fields[:at] + fields[at + 1 :] != right[:at] + right[at + 1 :]:
        bench.fail("saves", expected=shown(wanted), seen=shown(got), looks_like=misspelt(got), by="effects")
    bench.hold("saves", seen=f"the table ends with {shown(got)}", by="effects")
    told, true = (line[at].decode(errors="replace") for line in (fields, right))
    if told != true:
        seen = told or "an empty field"
        bench.fail("times", expected=true, seen=seen, looks_like=mistimed(told, true), by="effects")
    bench.hold("times", seen=true, by="effects")


def _judge_old_bytes(bench: Bench, old: bytes, line: bytes, got: bytes | None, error: str) -> None:
    """Judge the old bytes, a newline where they lack one, and the record."""
    newline = b"" if old.endswith(b"\n") or not old else b"\n"
    if got == old + newline + line:
        return
    looks_like = ""
    if got is None or got == old:
        seen = f"save raised {error}" if error else "the table as it was"
        if "Unicode" in error:
            looks_like = "the table taken for text. It may hold bytes that are none; save need not read them at all."
    elif not got.startswith(old):
        seen = difference(old, got)
        looks_like = "old bytes were changed or taken away. They are somebody's; what is broken, too."
        if got == line:
            looks_like = 'opening with "w" empties the table before the first byte is written.'
    else:
        seen = f"behind them {shown(got[len(old) :])}"
        if newline and got == old + line:
            looks_like = "the record went on in the torn line: now both are lost."
        elif not old:
            looks_like = "an empty table taken for one whose last line is torn: it has no line yet."
        elif got == old + newline + b"\n" + line:
            looks_like = "a newline too much: an empty line is a line, too."
    expected = f"all {len(old)} old bytes, then {shown(newline + line)}"
    bench.fail("keeps", expected=expected, seen=seen, looks_like=looks_like, by="effects")


class _Finish:
    """A table in order; three containers end, in ways that are easily mixed up."""

    def __init__(self, east: int) -> None:
        number = random.randrange(2, 9)
        rows = [a_row(number), a_row(number * 10 + 1), a_row(number * 100), a_row(91, "running"), a_row(92)]
        random.shuffle(rows)
        rows.append(a_row(93))  # runs on: a record that is moved to the end shows
        of = {row.id: row for row in rows}
        endings = [
            an_ending(of[f"c{number}"], "exited", 0),
            an_ending(of["c91"], "stopped", 143),
            an_ending(of["c92"], "killed", 137),
        ]
        self.before, self.after = a_table(rows, east), a_table(rows, east, endings)
        self.one = of[f"c{number}"].line(east, endings[0])
        self.jobs = [("three-end", b"".join(self.before), [*map(tuple, endings)], 0)]

    def judge(self, bench: Bench, played: Played) -> None:
        got, error = played.table("three-end") or b"", played.error("three-end")
        if got == b"".join(self.after):
            bench.hold("finishes", seen=shown(self.one), by="effects")
            return
        lines, wanted = got.split(b"\n"), [line.rstrip(b"\n") for line in self.after]
        at = next((n for n, line in enumerate(wanted) if lines[n : n + 1] != [line]), len(wanted) - 1)
        if lines[: len(wanted)] == wanted:
            _judge_end(bench, lines[len(wanted) :])
        told = lines[at] if at < len(lines) else b""
        seen = f"update raised {error}" if error else shown(told) if told else "no such line"
        looks_like = "" if error else mangled(told, wanted[at], self.before[at].rstrip(b"\n"))
        if "NotImplemented" in error:
            looks_like = "the function as it was handed out."
        if any(f"'{folder}/" in error for folder in SHARED):  # there some sandboxes let nobody write
            bench.fail("beside", expected=_BESIDE, seen=seen, looks_like=_ANYWHERE, by="effects")
        bench.fail("finishes", expected=shown(wanted[at]), seen=seen, looks_like=looks_like, by="effects")


def _judge_end(bench: Bench, rest: list[bytes]) -> None:
    """Judge the table's end, where all records are right."""
    seen = "lines behind it" if rest else "no newline behind it"
    looks_like = "" if rest else "split takes the newlines away: join them in again, behind the last line too."
    bench.fail("finishes", expected="the last line as it was", seen=seen, looks_like=looks_like, by="effects")


class _Damaged:
    """One container ends; its record stands among lines that are none."""

    def __init__(self, east: int) -> None:
        row, other = a_row(random.randrange(5, 50)), a_row(60)
        before, after = damaged(row)
        ending = an_ending(row, "exited", random.randrange(1, 99))
        old = [other.line(east), *before, row.line(east), *after]
        self.new = [other.line(east), *before, row.line(east, ending), *after]
        self.line = row.line(east)
        self.jobs = [("damaged", b"".join(old), [tuple(ending)], 0)]

    def judge(self, bench: Bench, played: Played) -> None:
        got, error, wanted = played.table("damaged") or b"", played.error("damaged"), b"".join(self.new)
        if got != wanted:
            seen = f"update raised {error}" if error else difference(wanted, got)
            expected, looks_like = f"only {shown(self.line)} changes", tidied(error, wanted, got)
            bench.fail("others", expected=expected, seen=seen, looks_like=looks_like, by="effects")
        bench.hold("others", seen=f"{len(self.new) - 1} other lines as they were", by="effects")


class _Refuse:
    """Two ids that are not there, then a disk with room for half a table, and for all of it but the last bytes."""

    def __init__(self, east: int) -> None:
        rows = [a_row(number) for number in random.sample(range(10, 80), 60)]
        self.table = b"".join(a_table(rows, east))
        self.unknown = [rows[5].id + "7", rows[6].id[:-1]]
        self.jobs = [
            (f"unknown-{name}", self.table, [tuple(an_ending(rows[0]._replace(id=name), "exited", 1))], 0)
            for name in self.unknown
        ]
        ending = tuple(an_ending(rows[40], "exited", 1))
        self.jobs += [
            ("disk-half-full", self.table, [ending], len(self.table) // 2),
            ("disk-full", self.table, [ending], len(self.table) - 3),
        ]

    def judge(self, bench: Bench, played: Played) -> None:
        for name in self.unknown:
            fits = played.is_lookup_error(f"unknown-{name}")
            looks_like = "an id that is not there taken for a new one; there is nothing that could end."
            self._one(bench, played, f"unknown-{name}", f"LookupError for {name}", fits, looks_like)
        for name, room in (("disk-half-full", "half of it"), ("disk-full", "all but its end")):
            raised = bool(played.error(name))
            looks_like = "write taken for all or nothing. It writes what fits and says how much that was."
            if raised:
                looks_like = "the table was touched before the new one was whole."
            self._one(bench, played, name, f"an error on a disk with room for {room}", raised, looks_like)
        seen = f"{played.error('disk-full')}, and the table as it was"
        bench.hold("refuses", seen=seen, by="effects")

    def _one(self, bench: Bench, played: Played, name: str, what: str, fits: bool, touched: str) -> None:
        got, error = played.table(name), played.error(name)
        if fits and got == self.table:
            return
        looks_like = (
            "another error than the one that was agreed upon." if error else "nobody learns that nothing was done."
        )
        if got != self.table:
            looks_like = touched
        state = "the table as it was" if got == self.table else f"{len(got or b'')} bytes of {len(self.table)}"
        seen = f"{error or 'no error'}, and {state}"
        bench.fail("refuses", expected=f"{what}, the table as it was", seen=seen, looks_like=looks_like, by="effects")


class Tables(NamedTuple):
    """A table before and after ``save``, the same for one whose last line is torn, and after ``update``.

    ``fewer`` is what is left of it when others have been removed, and ``next`` that after ``update``.
    """

    old: bytes
    saved: bytes
    torn: bytes
    joined: bytes
    updated: bytes
    fewer: bytes
    next: bytes


def watch(bench: Bench) -> tuple[SandboxResult, dict[str, Any], Tables]:
    """Play the scenario in which others look on: the result, what they saw (empty: it broke off), the tables."""
    zone, east = a_zone(summer_time=True)
    secret = a_word(12)
    rows = [a_row(number) for number in random.sample(range(10, 80), 50)]
    rows[random.randrange(5)] = a_row(9, secret)
    new, chosen = a_row(99), random.choice(rows[10:40])
    ending = an_ending(chosen, "stopped", 143)
    old = b"".join(a_table(rows, east))
    torn, line, few = old + b"c98|17|torn", new.line(east), [rows[0], chosen, rows[-1]]
    tables = Tables(
        old=old,
        saved=old + line,
        torn=torn,
        joined=torn + b"\n" + line,
        updated=b"".join(a_table(rows, east, [ending])),
        fewer=b"".join(a_table(few, east)),
        next=b"".join(a_table(few, east, [ending])),
    )
    values = {"table": old, "torn": torn, "fewer": tables.fewer, "record": tuple(new), "ending": tuple(ending)}
    result = bench.play(WATCH, values=job(zone=zone, secret=secret, **values), **UNTRACED)
    value = ev.seen_value(result)
    return result, value if isinstance(value, dict) else {}, tables


def _watched(bench: Bench) -> None:
    """Save, update, and update killed at each of its calls."""
    result, seen, tables = watch(bench)
    expected = "the old table or the new one, at every moment"
    if not seen:
        bench.fail("whole", expected=expected, seen=ev.raised(result) or result.verdict, by="effects")
        return
    by = "kernel" if seen["stepped"] else "effects"
    if trouble := _trouble(seen, tables):
        words, kind = trouble
        bench.fail("whole", expected=expected, seen=words, looks_like=_LOOKS[kind], by=by)
    if seen["stepped"]:
        stops = sum(len(seen[run]["stops"]) - 1 for run in ("saving", "joining", "updating"))
        evidence = f"{stops} system calls, {len(seen['kills'])} kills; old or new each time"
        bench.hold("whole", seen=evidence, by=by)
    else:
        bench.skip("whole", UNSTEPPED)
    _beside(bench, seen["updating"], by)


UNSTEPPED = (
    "this machine refuses to stop a program at its system calls (seccomp_unotify(2)); Python's own events and a kill "
    "in the middle of a write showed nothing wrong"
)


def _trouble(seen: dict[str, Any], tables: Tables) -> tuple[str, str] | None:
    """Return the first moment at which the table was neither old nor new."""
    states = [None if text is None else text.encode("latin-1") for text in seen["texts"]]
    saved, joined, updated = (
        (tables.old, tables.saved),
        (tables.torn, tables.joined),
        (tables.old, tables.updated),
    )
    runs = [
        ("save", seen["saving"], saved),
        ("save behind a torn line", seen["joining"], joined),
        ("update", seen["updating"], updated),
    ]
    runs += [(f"save, killed at {name},", told, saved) for name, told, _ in seen["cuts"]]
    runs += [(f"update, killed at {name},", told, updated) for name, told, _ in seen["kills"]]
    for who, told, allowed in runs:
        if trouble := _torn(who, told, states, allowed):
            return trouble
    if seen["updating"]["held"] != tables.old.decode("latin-1"):
        return "a reader who had opened the old table got half of the one and half of the other", "in place"
    return None


_LOOKS = {
    "missing": "the old table was removed before the new one had its name. rename replaces it in one step.",
    "empty": 'truncate, then write: open(db, "w") empties the table, and it stays empty until the first write.',
    "torn": "write taken for one step. Between two of them, and after a kill, half the work is there.",
    "in place": "written over in place. Also where old and new are equally long, they are mixed for whoever reads.",
    "undone": "a file got the table's name before its content had left the program: write and close it first.",
}


def _torn(
    who: str, told: dict[str, Any], states: list[bytes | None], allowed: tuple[bytes, bytes]
) -> tuple[str, str] | None:
    """Return the first stop at which the table was neither old nor new, in words, and which kind of trouble that is."""
    before = ""
    for name, at in told["stops"]:
        state = states[at]
        if state not in allowed:
            kind = "missing" if state is None else "torn" if state else "empty"
            if before.startswith(("rename", "link")) and state is not None:
                kind = "undone"
            there = "no table at all" if state is None else f"a table of {len(state)} bytes, {len(allowed[0])} before"
            when = "at its end" if name == "end" else f"before {name}"
            return f"{who} {when}: {there}", kind
        before = name
    if told["status"] == 0 and states[told["stops"][-1][1]] != allowed[1]:
        return f"{who} at its end: still the old table", "undone"
    return None


_BESIDE = "a temporary file in the table's folder, gone at the end"
_ANYWHERE = "a temporary file that may lie anywhere. From another file system rename answers EXDEV."


def _beside(bench: Bench, updating: dict[str, Any], by: str) -> None:
    if updating["foreign_folders"]:
        seen = f"the new table lay in {updating['foreign_folders'][0]}"
        bench.fail("beside", expected=_BESIDE, seen=seen, looks_like=_ANYWHERE, by=by)
    if updating["left"]:
        seen = f"{updating['left'][0]} is still there"
        bench.fail(
            "beside",
            expected=_BESIDE,
            seen=seen,
            looks_like="a file that nobody removes. rename leaves none: it moves the name.",
            by=by,
        )
    if by == "effects" and not any(name in ("os.rename", "os.link") for name, _ in updating["stops"]):
        bench.skip("beside", UNSTEPPED)
        return
    bench.hold("beside", seen="the table's folder holds the table and nothing else", by=by)


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
