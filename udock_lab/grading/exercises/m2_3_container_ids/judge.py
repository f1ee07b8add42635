"""M2.3: ``next_id(db)`` and a locked ``allocate(db)``: unique under any number of processes."""

from __future__ import annotations

import random
from typing import Any

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.exercises.m2_3_container_ids.requirements import REQUIREMENTS
from udock_lab.grading.scenario import apart, job
from udock_lab.model import SandboxResult, SystemCall

__all__ = ["STORIES"]

MANY = 50

# What next_id makes of files; what allocate does to them when nobody is in its way.
_ALONE = apart(
    "looked, appended",
    """
import os, sys
from udock_lab.grading.workers import Workers, attempt, content, put
seen, made = [], []
for number, text in enumerate(looked):
    db = f"looked{number}.db"
    put(db, text)
    seen.append([*attempt(lambda: next_id(db)), content(db) == text])
    sys.stdout.flush()
workers = Workers()
for number, text in enumerate(appended):
    db = f"containers{number}.db"
    put(db, text)
    one = workers.start(lambda: allocate(db))
    made.append([*workers.settled(one), one["pid"], content(db)])
    if not one["done"]:
        break
workers.end()
return [seen, made]
""",
)
# We hold the locks, as a reader does (LOCK_SH): do they wait? We change the tables, give the locks back: do they know
# of it? They live on: may another have the lock, and does it read anew each time? And whoever finds the lock free,
# but somebody was quicker in the moment before: does it know of that?
_WAITING = apart(
    "tables, free, later",
    """
import fcntl, os
from udock_lab.grading.workers import Workers, content, put
def add(db, text):
    with open(db, "a") as file:
        file.write(text)
workers, held, ones = Workers(), [], []
os.mkdir("home")
for number, (text, _) in enumerate(tables):
    db = f"{os.getcwd()}/home/containers{number}.db"
    put(db, text)
    held.append(os.open(db + ".lock", os.O_RDWR | os.O_CREAT, 0o666))
    fcntl.flock(held[-1], fcntl.LOCK_SH)
    ones.append(workers.start(lambda: allocate(db)))
early = workers.settled(*ones)
for number, (_, taken) in enumerate(tables):
    add(f"home/containers{number}.db", taken)
    fcntl.flock(held[number], fcntl.LOCK_UN)  # the children have copies of our descriptor: closing ours is not enough
done = workers.finished(*ones)
after = [content(f"home/containers{number}.db") for number in range(len(tables))]
last = []
if all(done) and not any(early):
    db = f"{os.getcwd()}/home/containers0.db"
    other = workers.start(lambda: [allocate(db), add(db, later), allocate(db)][2])
    put("free.db", free[0])
    overtaken = workers.start(lambda: allocate("free.db"), overtake=lambda: add("free.db", free[1]))
    last = [*workers.settled(other, overtaken), overtaken["pid"], content("free.db")]
locks = [one["locks"] for one in ones]
workers.end()
pids = [one["pid"] for one in ones]
return {"early": early, "done": done, "pids": pids, "after": after, "locks": locks, "last": last}
""",
)
# The process that forks has called allocate once, and knows the last moment at which the table was as before. The
# first of the 50 stops at that very moment until another is through or all others wait.
_MANY = apart(
    "text, many",
    """
import fcntl, os
from udock_lab.grading.workers import LastMoment, Workers, content, put
db = "containers.db"
def lock_file():
    try:
        return os.stat(db + ".lock").st_ino
    except OSError:
        return None
def lock_is_free():
    try:
        with open(db + ".lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except OSError:
        return False
def enough():
    waiting = workers.waiting()
    return any(one["done"] for one in others) or all(workers.waits(one, waiting) for one in others)
put(db, text)
moment = LastMoment(db)
first = moment.find(lambda: allocate(db))
workers, file_before = Workers(), lock_file()
gate, opened = os.pipe()
start, started = os.pipe()
slow = workers.start(lambda: allocate(db), stop=moment.stop(gate))
workers.settled(slow)
free = slow["paused"] and lock_is_free()
others = [workers.start(lambda: allocate(db), at_start=start) for _ in range(many - 1)]
os.write(started, b"x" * len(others))
if slow["paused"]:
    workers.until(enough)
os.write(opened, b"x")
workers.until(lambda: all(one["done"] for one in (slow, *others)))
done = [one["done"] for one in (slow, *others)]
file_after = lock_file()
workers.end()
stays = file_before is not None and file_before == file_after
return {"first": first, "done": done, "text": content(db), "free": free, "stays": stays}
""",
)


UNTRACED = {"trace": False, "watch": False}
TRACED = {"trace": True, "watch": True}
ROOMY = UNTRACED | {"processes": 4 * MANY}  # some answers have threads


def judge(bench: Bench) -> None:
    """Judge three stories: nobody in the way; another process that has the lock; fifty at once."""
    cases, words = _files()
    top = random.randrange(20, 90)
    before = _before(top)
    looked = [text for _, _, text, _ in cases]
    (seen, made), _ = _played(bench, _ALONE, options=UNTRACED, looked=looked, appended=[None, before])
    _looking(bench, cases, words, seen)
    _appending(bench, before, top, made)
    _waiting(bench)
    _many(bench)


def _played(bench: Bench, scenario: str, *, options: dict[str, Any], **values: object) -> tuple[Any, SandboxResult]:
    """Return what the scenario brings back, and all that was seen; if it did not come to its end, judging ends."""
    result = bench.play(scenario, values=job(**values), timeout=20, **options)
    value = ev.seen_value(result)
    if value is None:
        key = next(key for key in bench.requirements if key not in bench.judged)
        bench.fail(key, expected="your function comes back", seen=ev.raised(result) or result.verdict)
    return value, result


def _record(number: int, blanks: str = "", image: str = "demo") -> str:
    return f"{blanks}c{number}{blanks}|{random.randrange(1000, 9000)}|{image}|exited|2026-01-01T10:00:00||0\n"


def _files() -> tuple[list[tuple[str, str, str | None, int]], dict[str, str]]:
    """Return files for next_id, and words for what held.

    Of each: requirement, in words, content, the number that comes next.
    """
    top, tens = random.randrange(5, 9), random.choice((10, 100, 1000))
    long = [_record(number, image="x" * 3000) for number in (1, 2, 3, 4)]
    junk = _junk(top)
    mixed = "".join([*junk, _record(2), _record(top, "  "), _record(1)])
    cases = [
        ("highest", "a missing file", None, 1),
        ("highest", "an empty file", "", 1),
        ("highest", f"c1, c2, c{top}", "".join(map(_record, (1, 2, top))), top + 1),
        ("highest", f"c{top}, c3, in this order", _record(top) + _record(3), top + 1),
        ("highest", f"c{top}, then 12 kB with lower ones", "".join([_record(top), *long]), top + 1),
        ("highest", f"12 kB with lower ones, then c{top}", "".join([*long, _record(top)]), top + 1),
        ("numbers", f"c{tens - 1}, c{tens}", _record(tens - 1) + _record(tens), tens + 1),
        ("numbers", f"c{tens}, c9, c{tens - 2}", "".join(map(_record, (tens, 9, tens - 2))), tens + 1),
        ("junk", f"c2, c{top}, c1 among lines that are no records", mixed, top + 1),
        ("junk", "no record among other lines", "".join(junk), 1),
        ("junk", f"c2, and c{top} in a last line without its end", _record(2) + f"c{top}|17|de", top + 1),
    ]
    words = {
        "highest": f"c{top + 1} after c{top}, and c1 in an empty file",
        "numbers": f"c{tens + 1} after c{tens}",
        "junk": f"{len(junk)} lines passed over",
    }
    return cases, words


def _junk(top: int) -> list[str]:
    junk = [
        "# c9000 is no id\n", "\n", "   \n", "c|1|demo\n", f"c{top}x|7|demo\n", "|c800|demo\n", "x77|1|demo\n",
        "C900|1|demo\n", "900|1|demo\n", "cc900|1|demo\n",
        "c\xb2|1|demo\n", "\xff\xfe\x00 no text\n", "no record at all\n", "image c70|/srv|now\n", "-3|demo\n",
    ]  # fmt: skip
    random.shuffle(junk)
    return junk


def _looking(bench: Bench, cases: list[tuple[str, str, str | None, int]], words: dict[str, str], seen: Any) -> None:
    for wanted, evidence in words.items():
        for (key, name, text, number), one in zip(cases, seen, strict=True):
            if key == wanted:
                _looked(bench, key, name, text, number, one)
        bench.hold(wanted, seen=evidence, by="effects")


def _looked(bench: Bench, key: str, name: str, text: str | None, number: int, seen: list[Any]) -> None:
    """Judge one file, and what next_id made of it."""
    said, word, kind, untouched = seen
    if (said, word, kind, untouched) != ("returned", f"c{number}", "str", True):
        words = f"next_id {said} {word}" if untouched else "next_id changed the file"
        looks_like = _misread(key, said, word, text)
        bench.fail(key, expected=f"c{number} for {name}", seen=words, looks_like=looks_like, by="effects")


def _misread(key: str, said: str, word: str, text: str | None) -> str:
    """Return which rule gives this answer, in words."""
    lines = (text or "").count("\n")
    if said == "raised" and key == "highest":
        return "a missing or empty file taken for an error. Before the first container there is nothing." * (not lines)
    if said == "raised" and word.startswith("Unicode"):
        return (
            "a file taken for text in one encoding. Another program may write any bytes, and no id comes out any more."
        )
    if said == "raised":
        return "every line taken for a record. One bad line, and no id is given out any more."
    if word.isdigit():
        return "a number; an id is text, a c before the digits."
    if word == "None":
        return "an answer that is shown, or forgotten, and not returned."
    if key == "highest" and len(text or "") > 10_000:
        return "a part of the file taken for all of it: the highest one may stand anywhere."
    if key == "junk" and lines == 1:
        return "a last line passed over because its end is missing. It begins with an id and a |: the id is taken."
    if key == "highest" and word == f"c{lines + 1}":
        return "lines counted. A removed record makes the count smaller, and the id that comes out exists."
    if key == "highest" and word in ("c1", "c3"):
        return "a gap taken for a free id. c3 has existed; its log may still be quoted somewhere."
    if key == "highest" and lines == 2 and word == "c4":
        return "the last line taken for the highest."
    if key == "numbers":
        return "ids compared as text: c9 comes after c10 there, because 9 comes after 1."
    return _misread_junk(word, text or "") if key == "junk" else ""


def _misread_junk(word: str, text: str) -> str:
    if word == "c3":
        return "a record with blanks around its id passed over. Programs differ in how they write; the id is the same."
    if word == "c1" and " |" in text:
        return "the first bad line taken for the end of the file."
    return "something that is no record was counted. An id stands at the beginning of its line, and a | behind it."


def _before(top: int) -> str:
    return _record(3) + "\xff\xfe no text |\n" + "\n" + _record(top) + "c5 and no record\n"


def _appending(bench: Bench, before: str, top: int, seen: list[Any]) -> None:
    """Append to a table that is not there yet, and to ``before``; no other process is in the way."""
    for text, number, (done, pid, after) in zip(("", before), (1, top + 1), seen, strict=False):
        line = f"c{number}|{pid}\n"
        if done and done[0] == "raised" and ".lock'" in done[1]:
            bench.fail(
                "waits",
                expected="the lock file is made where it is missing, and opened where it exists",
                seen=_said(done),
                looks_like="a lock file that must be there, or must not. O_CREAT without O_EXCL serves both.",
                by="effects",
            )
        if done != ["returned", f"c{number}", "str"]:
            bench.fail("appends", expected=f'allocate returns "c{number}"', seen=_said(done), by="effects")
        if after != text + line:
            bench.fail(
                "appends",
                expected=f"the line {line!r} at the end, all else byte for byte as before",
                seen=_changed(text, after),
                looks_like=_mangled(text, after),
                by="effects",
            )
    bench.hold("appends", seen=f"c{top + 1}|{seen[1][1]}", by="effects")


def _said(done: Any) -> str:
    return f"allocate {done[0]} {done[1]}" if done else "allocate did not come back, though nobody held the lock"


def _mangled(before: str, after: str | None) -> str:
    if after in (None, before):
        return "an id returned and not written down: the next one who asks gets it again."
    if not str(after).startswith(before):
        return "the table written anew from what was understood of it. Lines of others are lost."
    return "" if str(after).endswith("\n") else "a line without its end: the next record will stand on the same line."


def _changed(before: str, after: str | None) -> str:
    if after is None:
        return "the file is missing"
    if after.startswith(before):
        return f"the end is {after[len(before) :][:80]!r}"
    return f"{len(before.splitlines())} lines became {len(after.splitlines())}, and the old ones are not as they were"


class _Table:
    """What stood in it, what was taken while we had its lock, and the number that comes next then."""

    def __init__(self, name: str, text: str | None, taken: str, number: int) -> None:
        self.name, self.text, self.taken, self.number = name, text, taken, number

    def after(self, pid: int) -> str:
        return f"{self.text or ''}{self.taken}c{self.number}|{pid}\n"


def _tables() -> list[_Table]:
    """Return the tables: a record is added; the first one is made; a writer ends the line that it had begun."""
    top, gap = random.randrange(20, 90), random.randrange(2, 9)
    begun = _record(top + 1)
    return [
        _Table("a record was added", _record(top), _record(top + gap), top + gap + 1),
        _Table("the table was made", None, _record(top), top + 1),
        _Table("a line was finished", _record(top) + begun[:9], begun[9:], top + 2),
    ]


def _waiting(bench: Bench) -> None:
    tables, free = _tables(), _tables()[0]
    later = tables[0].number + 5
    values = {
        "tables": [[table.text, table.taken] for table in tables],
        "free": [free.text, free.taken],
        "later": _record(later),
    }
    told, result = _played(bench, _WAITING, options=TRACED, **values)
    calls = [call for call in result.calls if call.name == "flock" and call.pid in told["pids"]]
    _waited(bench, told, calls)
    for table, done, pid, after in zip(tables, told["done"], told["pids"], told["after"], strict=True):
        _read_late(bench, table, done, pid, after)
    other, overtaken, pid, after = told["last"]
    if free.taken in after:  # whoever asks for the lock past Python is not overtaken
        _read_late(bench, free, overtaken, pid, after)
    if other and other[0] == "returned" and other[1] != f"c{later + 1}":
        bench.fail(
            "reads",
            expected=f"c{later + 1}: c{later} was taken between two calls of one process",
            seen=_said(other),
            looks_like="a number remembered from the last call. Other processes have taken ids since then.",
            by="effects",
        )
    bench.hold("reads", seen=f"c{tables[0].number}, after c{tables[0].number - 1} had been taken", by="effects")
    if other != ["returned", f"c{later + 1}", "str"] or not overtaken:
        kept = "a lock that is kept. It is given back with the last descriptor of its open file, or by LOCK_UN."
        bench.fail(
            "releases",
            expected="another process gets two more ids, one after the other, while the first lives on",
            seen=_said(other) if other else "it waits for ever",
            looks_like="" if other else kept,
            by="effects",
        )
    bench.hold("releases", seen="another process got the lock while the first lived on", by="effects")


def _waited(bench: Bench, told: dict[str, Any], calls: list[SystemCall]) -> None:
    early = next((n for n, done in enumerate(told["early"]) if done), None)
    if early is not None:
        locks = told["locks"][early]
        said = f"{_said(told['early'][early])} meanwhile"
        bench.fail(
            "waits",
            expected="nothing is allocated while another process holds flock (a shared one, LOCK_SH) on the lock file",
            seen=said + (f"; it locked {locks[0][1]}, with {locks[0][0]}" if locks else ""),
            looks_like=_no_lock(locks),
            by="effects",
        )
    late = next((n for n, done in enumerate(told["done"]) if not done), None)
    if late is not None:
        own = any(how == "O_EXCL" for how, _, _ in told["locks"][late])
        bench.fail(
            "waits",
            expected="allocate goes on when the lock has been given back",
            seen="it went on waiting for the file to go away" if own else "it still waited 4 s later",
            looks_like="a file whose existence is the lock. Left behind by a process that died, it locks for ever."
            if own
            else "",
            by="effects",
        )
    seen = f"{calls[0]}, which came back when the lock was given back" if calls else "it waited for the lock"
    bench.hold("waits", seen=seen, by="kernel" if calls else "effects")


def _read_late(bench: Bench, table: _Table, done: list[str], pid: int, after: str | None) -> None:
    """Judge by the answer and its line whether it knows what was done before it had the lock."""
    if done != ["returned", f"c{table.number}", "str"]:
        bench.fail(
            "reads",
            expected=f"c{table.number}: {table.name} by the process that had the lock before",
            seen=_said(done),
            looks_like="read, then locked: what was read is out of date when the lock is there."
            if done[0] == "returned"
            else "",
            by="effects",
        )
    if after != table.after(pid):
        bench.fail(
            "reads",
            expected=f"the line c{table.number}|{pid} behind all that was written before it had the lock",
            seen=_changed((table.text or "") + table.taken, after),
            looks_like="the end of the table looked for before the lock was there. It has moved since then.",
            by="effects",
        )


def _no_lock(locks: list[list[Any]]) -> str:
    """Return what was locked instead, in words."""
    if not locks:
        return "read-then-write taken for one step. Whoever holds the lock has to be waited for."
    how, where, operation = locks[0]
    if how == "lockf":
        return "lockf taken for flock: two kinds of lock that do not see each other (flock(2))."
    if how == "O_EXCL":
        return "a lock of your own invention. The other programs hold flock on the lock file."
    if where.endswith(".db"):
        return "a lock on the table itself. The others lock containers.db.lock; and rename leaves such a lock behind."
    if not where.endswith(".db.lock"):
        return "a lock on another file. A lock protects among those who lock the same one."
    if operation & 1:  # LOCK_SH
        return "LOCK_SH: readers share it, so two that want to write get it together."
    return "LOCK_NB asks and does not wait; its answer was not heeded."


def _many(bench: Bench) -> None:
    """Judge many at once, one of them stopped between its reading and its writing."""
    top = random.randrange(8, 90)
    told, _ = _played(bench, _MANY, options=ROOMY, text=_record(top), many=MANY)
    all_done = [told["first"], *told["done"]]
    wanted = {f"c{number}" for number in range(top + 1, top + MANY + 2)}
    ids = [one[1] for one in all_done if one and one[0] == "returned"]
    lines = [line.partition("|")[0] for line in (told["text"] or "").splitlines()[1:]]
    if set(ids) == wanted == set(lines) and len(ids) == len(lines) == MANY + 1:
        if not told["stays"]:
            bench.fail(
                "many",
                expected="one lock file for all, from the first to the last",
                seen="the lock file was removed, or another one has its name now",
                looks_like=_REMOVED,
                by="effects",
            )
        bench.hold("many", seen=f"{MANY + 1} different ids, {MANY + 1} lines", by="effects")
        return
    failed = next((one for one in all_done if not one or one[0] != "returned"), None)
    seen = f"{len(set(ids))} different ids in {len(ids)} answers, {len(set(lines))} in {len(lines)} lines"
    if len(ids) <= MANY:
        seen += f"; {_said(failed)}" if failed else "; some never came back"
    bench.fail(
        "many",
        expected=f"{MANY} different ids, and as many lines",
        seen=seen,
        looks_like=_not_alone(told) if len(ids) > len(set(ids)) or len(lines) < len(ids) else "",
        by="effects",
    )


_REMOVED = "a lock file that is removed. One process waits on the old one, another makes a new one: two locks."


def _not_alone(told: dict[str, Any]) -> str:
    """Return why others could go past one that was stopped before it wrote, in words."""
    if not told["stays"]:
        return _REMOVED
    if told["free"]:
        return (
            "a lock that is gone before the record is in the file: given back, closed with its file object, or held "
            "while the record still waits in a buffer."
        )
    return "a lock file opened before fork: one open file, so one lock, and all of them hold it."


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
