"""M2.3 in the sandbox: what a referee arranges and sees, and what processes with the answer in them do.

Functions that begin with ``in_`` run in a process of the answer's; the others in the referee.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from random import SystemRandom
from typing import Any

from udock_lab.grading.inside import said
from udock_lab.grading.locks import (
    LastMoment,
    Lease,
    append,
    by_existence,
    content,
    hurry,
    is_free,
    is_held_alone,
    keeping,
    overtaken_at_flock,
    put,
    settled,
    tell_locks,
    waiting,
    waits,
)
from udock_lab.grading.workers import Functions, Gate, Tell, Worker, Workers

__all__ = ["appending", "looking", "many", "waiting_for_the_lock"]

Load = Callable[[], Functions]
_chance = SystemRandom()  # whoever was forked before it is asked cannot foretell what it says


def a_record(number: int) -> str:
    """Return a line that another program may have written."""
    return f"c{number}|{_chance.randrange(1000, 9000)}|demo|exited|2026-01-01T10:00:00||0\n"


# -- nobody is in the way ---------------------------------------------------------------------------------


def looking(load: Load, *, files: list[str | None]) -> dict[str, Any]:
    """Return what next_id says of each file, and whether the file is as it was."""
    workers = Workers(load)
    names = [f"looked{number}.db" for number in range(len(files))]
    for name, text in zip(names, files, strict=True):
        put(name, text)
    words: dict[int, Any] = {}
    while len(words) < len(files):
        one = workers.start(in_looking, names, len(words))
        came = workers.finished(one)
        words |= {int(number): told for number, told in one.words.get("looks", [])}
        if "done" in one.words or not came:
            break
        words.setdefault(len(words), None)  # it ended its process there; the next one goes on behind it
    workers.end()
    untouched = [content(name) == text for name, text in zip(names, files, strict=True)]
    return {"said": [words.get(number) for number in range(len(files))], "untouched": untouched}


def in_looking(tell: Tell, functions: Functions, names: list[str], first: int) -> None:
    for number in range(first, len(names)):
        tell(looks=[number, said(functions[0], names[number])])
    tell(done=True)


def appending(load: Load, *, tables: list[str | None]) -> list[dict[str, Any]]:
    """Return what allocate makes of each table; of two tries the second, with a lock file there, if the first fails."""
    workers = Workers(load)
    made = []
    for number, text in enumerate(tables):
        for there in (False, True):
            db, same = f"table{number}{there:d}.db", f"same{number}{there:d}.db"
            put(db, text)
            put(same, text)
            put(f"{db}.lock", "" if there else None)
            one = workers.start(in_appending, db, same)
            settled(workers, one)
            told: dict[str, Any] = {"looked": one.words.get("looked"), "done": one.words.get("done"), "gone": one.gone}
            made.append(told | {"pid": one.pid, "after": content(db), "there": there, "table": number})
            if (told["done"] or {}).get("how") == "returned":
                break
    workers.end()
    return made


def in_appending(tell: Tell, functions: Functions, db: str, same: str) -> None:
    next_id, allocate = functions
    tell_locks(tell)
    tell(looked=said(next_id, same))
    tell(done=said(keeping(allocate), db))


# -- another process has the lock -------------------------------------------------------------------------


class _Table:
    """A table whose lock we hold: one of the answer's processes wants an id of it, and we change it meanwhile."""

    def __init__(self, workers: Workers, number: int, text: str | None, lock: int) -> None:
        self.db = f"{os.getcwd()}/home/containers{number}.db"
        put(self.db, text)
        self.file = os.open(f"{self.db}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(self.file, lock)
        self.one = workers.start(in_waiting, self.db, before=hurry)
        self.taken = ""
        self.queued = False  # /proc/locks has shown it
        self.held: bool | None = None  # whether it had the lock when it opened the table

    def change(self, taken: str) -> None:
        """Write what others have taken, and give the lock back; whoever opens the table is stopped then."""
        self.taken = taken
        append(self.db, taken)
        self.lease = Lease(self.db)
        fcntl.flock(self.file, fcntl.LOCK_UN)  # the children have copies of our descriptor: closing is not enough

    def look(self) -> bool:
        """Look whether it has the lock where it opens the table, and let it on; return whether it has come back."""
        if self.lease.stops():
            self.held = is_held_alone(f"{self.db}.lock")
            self.lease.let_on()
        return "done" in self.one.words or self.one.gone

    def told(self, early: Any) -> dict[str, Any]:
        """Return what was seen."""
        self.lease.let_on()  # we would be stopped, too
        return {
            "early": early,
            "done": self.one.words.get("done"),
            "pid": self.one.pid,
            "taken": self.taken,
            "after": content(self.db),
            "queued": self.queued,
            "held": self.held,
            "locks": self.one.words.get("locks", []),
            "free": is_free(f"{self.db}.lock"),
        }


def waiting_for_the_lock(load: Load, *, texts: list[str | None], begun: str, gap: int) -> dict[str, Any]:
    """Hold the locks, change the tables, give the locks back; then let others have the lock, and be quicker.

    ``texts``: a table that gets a record, one that is made, one whose last line is ``begun`` and finished.
    """
    workers = Workers(load)
    os.mkdir("home")
    tables = [
        _Table(workers, number, text, lock)
        for number, (text, lock) in enumerate(zip(texts, (fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_SH), strict=True))
    ]
    fresh = workers.start(in_waiting, f"{os.getcwd()}/home/fresh.db")  # nobody has made the lock file
    early = settled(workers, *(table.one for table in tables))
    those = waiting("FLOCK")
    for table in tables:
        table.queued = table.one.pid in those
    top = gap + _chance.randrange(2, 9)
    for table, taken in zip(tables, (a_record(top), a_record(top), begun), strict=True):
        table.change(taken)
    hopeless = all("done" in table.one.words or by_existence(table.one) for table in tables)
    workers.until(lambda: len(tables) == sum(table.look() for table in tables), 0.5 if hopeless else 0)
    settled(workers, fresh)
    told = {"tables": [table.told(was) for table, was in zip(tables, early, strict=True)], "top": top}
    told["fresh"] = [fresh.words.get("done"), is_free("home/fresh.db.lock"), fresh.words.get("locks", [])]
    if all(table.one.words.get("done") for table in tables) and not any(early):
        told |= {"again": _again(workers, tables[0].db, top), "overtaken": _overtaken(workers, texts[0] or "", top)}
    workers.end()
    return told


def in_waiting(tell: Tell, functions: Functions, db: str) -> None:
    tell_locks(tell)
    tell(done=said(keeping(functions[1]), db))


def _again(workers: Workers, db: str, top: int) -> dict[str, Any]:
    """Have another process take two ids, one before and one after a record of ours; the first one lives on."""
    gate, later = Gate(), top + _chance.randrange(4, 9)
    other = workers.start(in_again, db, gate)
    workers.until(lambda: "once" in other.words or other.gone or waits(other, waiting()))
    if "once" in other.words:
        append(db, a_record(later))
        gate.open()
        settled(workers, other)
    return {"once": other.words.get("once"), "twice": other.words.get("done"), "later": later, "gone": other.gone}


def in_again(tell: Tell, functions: Functions, db: str, gate: Gate) -> None:
    tell_locks(tell)
    tell(once=said(keeping(functions[1]), db))
    gate.wait()
    tell(done=said(keeping(functions[1]), db))


def _overtaken(workers: Workers, text: str, top: int) -> dict[str, Any]:
    """Be quicker than a process: when it opens the lock file, and when it asks for a lock that is free."""
    db, gate, taken = "free.db", Gate(), []
    put(db, text)
    put(f"{db}.lock", "")
    one = workers.start(in_overtaken, db, gate)
    lease = Lease(f"{db}.lock")
    ready = workers.until(lambda: "ready" in one.words or one.gone)
    gate.open()

    def look() -> bool:
        nonlocal top
        opens, asks = lease.stops(), one.words.pop("asked", False)
        if opens or asks:
            top += _chance.randrange(1, 9)
            taken.append(a_record(top))
            append(db, taken[-1])
        if opens:
            lease.let_on()
        if asks:
            gate.open()
        return "done" in one.words or one.gone

    if ready:
        workers.until(look)
    lease.let_on()
    return {"done": one.words.get("done"), "pid": one.pid, "taken": taken, "number": top, "after": content(db)}


def in_overtaken(tell: Tell, functions: Functions, db: str, gate: Gate) -> None:
    tell(ready=True)
    gate.wait()
    overtaken_at_flock(tell, gate)
    tell(done=said(keeping(functions[1]), db))


# -- fifty at once ----------------------------------------------------------------------------------------


def many(load: Load, *, text: str, count: int) -> dict[str, Any]:
    """Let fifty processes allocate at once; the first stops before its record is in the table, till all others wait.

    One process forks them all; it has allocated before, and knows the last moment at which the table was as before.
    Whoever opens the table meanwhile is stopped there: those whom no lock keeps apart go on together.
    """
    workers = Workers(load)
    db = "containers.db"
    put(db, text)
    gate, start, fork = Gate(), Gate(), Gate()
    forker = workers.start(in_many, db, count, fork, start, gate)
    workers.until(lambda: "first" in forker.words or forker.gone or waits(forker, waiting()))
    lock = _Kept(f"{db}.lock")
    fork.open()
    born: list[Worker] = []

    def all_born() -> bool:
        born[:] = [one for one in workers.all.values() if "born" in one.words]
        return len(born) == count or forker.gone

    workers.until(all_born)
    slow = next((one for one in born if one.words["born"] == 0), forker)
    others = [one for one in born if one is not slow]
    gate.open()  # the slow one comes first
    workers.until(lambda: {"paused", "done"} & set(slow.words) or slow.gone or slow.pid in waiting())
    hopeless = not {"paused", "done"} & set(slow.words)  # the forker has kept the lock
    free = "paused" in slow.words and is_free(f"{db}.lock")
    lease = Lease(db)
    start.open(len(others))
    if "paused" in slow.words or lease.given:
        workers.until(lambda: _some_done_or_all_wait(others))
    together = len(waiting("LEASE") & {one.pid for one in others})
    opened_without = together > 1 and is_free(f"{db}.lock")
    lease.let_on()
    gate.open()
    workers.finished(*born, seconds=0.5 if hopeless else 0)
    told = {
        "first": forker.words.get("first"),
        "done": [[one.pid, one.words.get("done")] for one in born],
        "text": content(db),
        "free": free,
        "opened without": opened_without,
        "together": together,
        "made": lock.made,
        "stays": lock.stays(),
        "locks": forker.words.get("locks", []),
        "inherited": lock.is_open_in(forker.pid),
        "forked": forker.gone or "lives" in forker.words,
    }
    workers.end()
    return told


def _some_done_or_all_wait(others: list[Worker]) -> bool:
    those = waiting()
    return any("done" in one.words for one in others) or all(waits(one, those) or one.gone for one in others)


class _Kept:
    """A file that should stay; while it is held open (O_PATH), no other file gets its number."""

    def __init__(self, path: str) -> None:
        self.path, self.made = path, os.path.exists(path)
        self.file = os.open(path, os.O_PATH | os.O_CLOEXEC) if self.made else -1

    def is_open_in(self, pid: int) -> bool | None:
        """Return whether a process has it open, which its children then have, too; None where that is not shown."""
        mine = os.fstat(self.file) if self.made else None
        try:
            files = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
            return mine is not None and any(os.path.samestat(mine, os.stat(file)) for file in files)
        except OSError:
            return None

    def stays(self) -> bool:
        """Return whether the name still leads to the same file."""
        return self.made and os.path.exists(self.path) and os.path.samestat(os.stat(self.path), os.fstat(self.file))


def in_many(tell: Tell, functions: Functions, db: str, count: int, fork: Gate, start: Gate, gate: Gate) -> None:
    allocate = functions[1]
    tell_locks(tell)
    moment = LastMoment(db)
    tell(first=moment.find(lambda: said(keeping(allocate), db)))
    fork.wait()
    for number in range(count):
        if os.fork() == 0:
            tell(born=number)
            (start if number else gate).wait()
            if number == 0:
                moment.stop(tell, gate)
            tell(done=said(keeping(allocate), db))
            return  # it lives on, as its parent does
    tell(lives=True)
