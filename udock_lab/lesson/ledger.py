"""``progress.json`` in the learner's own home: what was answered, solved and finished.

::

    {"schema":      1,
     "lessons":     {"m2_1a_fork": {"done": true,
                                    "asked": {"predictions": ["lines"], "orders": ["launch"], "ticket": ["Which ...?"]},
                                    "orders": {"launch": {"tries": 2, "solved": true, "times": [1700000000.1, ...]}}}},
     "predictions": {"m2_1a_fork": {"lines": {"answer": "one", "late": false, "verdict": "wrong", "at": 1700000000.1}}},
     "tickets":     {"m2_1a_fork": {"ticket": {"right": [true, false]}}},
     "answers":     {"m2_1a_fork": {"Which exit code is 34304?": 134}},
     "answered":    {"m2_1a_fork": {"Which exit code is 34304?": {"at": 1700000000.1, "wrong": 1, "why": true}}},
     "exercises":   {"m2_1_process_creation": {"score": 3, "max": 5, "best": 4, "tries": [2, 4, 3], "times": [...],
                                               "answer": "5f0c..."}},
     "resets":      {"m2_1a_fork": 1}}

``done`` says that the lesson's last cell ran, ``asked`` what its cells put to the learner; what that comes to is in
:mod:`udock_lab.lesson.standing`. ``wrong`` counts wrong answers, ``why`` says that the explanation was asked for. An
exercise's ``answer`` tells the one that was checked last from others: only a changed one is another try. Times
are seconds since 1970; ``work/merging.py`` says what they are for. A file without a schema is of version 0.1.0 and
reads the same. What a later version has put there stays, its schema too.

A change is read, made and renamed into place under a lock, so two kernels at once lose nothing and a reader sees
the file before or after. What is damaged is kept aside; what cannot be read or written is said once, costs no lesson
and is left as it is.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from udock_lab.errors import LockTimeout, MdockError, Unsupported
from udock_lab.runtime.state.home import storage_error
from udock_lab.work.exported import PROGRESS_SCHEMA as SCHEMA
from udock_lab.work.merging import merged, tries_of

__all__ = ["SECTIONS", "Data", "Ledger", "facts_in", "facts_of", "ledger_in", "now", "reset", "times_reset"]

SECTIONS = ("lessons", "predictions", "tickets", "exercises")
MOST_TRIES = 500  # scores that are kept of one exercise
PATIENCE = 10.0  # seconds to wait for another kernel's change, which takes milliseconds

Data = dict[str, dict[str, Any]]


class Ledger:
    """The file ``progress.json`` in ``home``. Nothing here raises for what the disk or another process does."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.path = f"{home}/progress.json"
        self.lock = f"{home}/run/progress.lock"
        self.listeners: list[Callable[[], None]] = []  # called after each change
        self._said: set[str] = set()

    def read(self) -> Data:
        """Return everything, with each section.

        A file that is no progress is moved aside, with a word about it.
        """
        try:
            data, broken = self._load()
        except OSError as error:
            self._say(f"Your progress cannot be read. {storage_error(error, self.home)}")
            return _checked({})
        if broken:
            self.change(lambda _: None)  # under the lock: another kernel may have put a good one there by now
        return data

    def change(self, make: Callable[[Data], None]) -> None:
        """Read, let ``make`` change it, write. Where that is refused the lesson goes on; a note says so once."""
        try:
            with self._locked():
                data, broken = self._load()
                if broken:
                    self._put_aside(broken)
                make(data)
                self._write(data)
        except OSError as error:
            self._say(f"Your progress is not kept. {storage_error(error, self.home)}")
        except MdockError as error:
            self._say(f"Your progress is not kept. {error}")
        self._tell()

    def merge(self, other: Data) -> bool:
        """Take in what another progress.json holds; return whether that was anything new.

        Raise MdockError where the file cannot be read or written; then it is as it was.
        """
        try:
            with self._locked():
                data, broken = self._load()
                schema = data.get("schema", SCHEMA)
                if not isinstance(schema, int) or schema > SCHEMA:
                    raise Unsupported("The progress here is of a newer udock-lab.", "pip install -U udock-lab")
                if broken:
                    self._put_aside(broken)
                both = merged(data, other)
                grown = both != merged(data, data)
                if grown:
                    self._write(both)
        except OSError as error:
            raise storage_error(error, self.home) from None
        self._tell()
        return grown

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def facts(self, section: str, lesson: str, name: str) -> dict[str, Any]:
        """Return what stands under ``section``/``lesson``/``name``; an empty dict where nothing does."""
        return facts_of(facts_of(self.read()[section], lesson), name)

    def put(self, section: str, lesson: str, name: str, facts: dict[str, Any]) -> None:
        """Set facts under ``section``/``lesson``/``name``; what else stands there stays."""

        def make(data: Data) -> None:
            facts_in(facts_in(data[section], lesson), name).update(facts)

        self.change(make)

    def put_score(self, exercise: str, score: float, most: float, answer: str = "") -> tuple[list[float], float]:
        """Keep the latest score of an exercise, of ``most`` points, and the best so far; return all, and the best.

        ``answer`` tells one answer from another. The same one, checked again, is no new try: its latest score stands.
        """
        tries: list[float] = []
        bests: list[float] = []

        def make(data: Data) -> None:
            facts = facts_in(data["exercises"], exercise)
            best = facts.get("best")
            same = bool(answer) and facts.get("answer") == answer
            timed = _with_another(tries_of(facts), score, same=same)
            tries[:] = [one for _, one in timed]
            bests[:] = [max(score, best) if isinstance(best, (int, float)) else score]
            facts |= {
                "score": score,
                "max": most,
                "best": bests[0],
                "tries": [*tries],
                "times": [when for when, _ in timed],
            }
            if answer:
                facts["answer"] = answer

        self.change(make)
        return tries, bests[0] if bests else score

    def _load(self) -> tuple[Data, str]:
        """Return what the file holds, and what is wrong with its content; raise OSError where it cannot be read."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return _checked(json.load(file)), ""
        except FileNotFoundError:
            return _checked({}), ""
        except (ValueError, RecursionError) as error:
            return _checked({}), str(error)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        os.makedirs(os.path.dirname(self.lock), exist_ok=True)
        fd = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            deadline = time.monotonic() + PATIENCE
            while not _taken(fd):
                if time.monotonic() > deadline:
                    raise LockTimeout(f"Another process keeps {self.lock} locked.", "Close the other notebooks.")
                time.sleep(0.01)
            yield
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)  # by name, because a child forked meanwhile shares the open file
            os.close(fd)

    def _write(self, data: Data) -> None:
        """Write to a file beside it, then rename that (rename(2)); of a link, write what it names. Lock held.

        The other file's name is always the same, so what a killed writer left is overwritten.
        """
        path = os.path.realpath(self.path)
        beside = f"{path}.new"
        try:
            with open(beside, "w", encoding="utf-8", opener=_private) as file:
                json.dump({"schema": SCHEMA} | data, file, indent=1)
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise

    def _put_aside(self, reason: str) -> None:
        """Rename a damaged file, never over an older one. Lock held."""
        number = 1
        while os.path.lexists(f"{self.path}.unreadable-{number}"):
            number += 1
        os.rename(self.path, f"{self.path}.unreadable-{number}")
        self._say(
            f"progress.json could not be read: {reason}.\n"
            f"It is kept as progress.json.unreadable-{number}, and a new one begins."
        )

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            sys.stderr.write("".join(f"[mdock] {line}\n" for line in text.splitlines()))


_ledgers: dict[str, Ledger] = {}  # one for each home, so that what is wrong with it is said once


def ledger_in(home: str) -> Ledger:
    """Return this process's ledger of a home."""
    return _ledgers.setdefault(home, Ledger(home))


def _with_another(tries: list[tuple[float, float]], score: float, *, same: bool) -> list[tuple[float, float]]:
    if not tries:
        return [(now(), score)]
    last, _ = tries[-1]
    if same:
        return [*tries[:-1], (last, score)]
    return [*tries, (max(now(), last + 0.001), score)][-MOST_TRIES:]


def now() -> float:
    """Return the time of something that a learner did, in seconds since 1970."""
    return round(time.time(), 3)


def facts_of(above: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the dict under ``name``; an empty one where there is none."""
    found = above.get(name)
    return found if isinstance(found, dict) else {}


def facts_in(above: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the dict under ``name``, put there empty where there is none."""
    found = above.get(name)
    if not isinstance(found, dict):
        found = above[name] = {}
    return found


def reset(data: Data, slug: str) -> None:
    """Forget the answers of a lesson, and count it: so a notebook that still holds one knows that it was taken back."""
    facts_in(data, "resets")[slug] = times_reset(data, slug) + 1
    for section in ("lessons", "predictions", "tickets", "answers", "answered"):
        facts_in(data, section).pop(slug, None)


def times_reset(data: Data, slug: str) -> int:
    """Return how often that was done."""
    count = facts_of(data, "resets").get(slug)
    return count if isinstance(count, int) else 0


def _checked(data: object) -> Data:
    """Return the data with every section; raise ValueError for what never was progress."""
    if not isinstance(data, dict) or not all(isinstance(data.get(name, {}), dict) for name in SECTIONS):
        raise ValueError("it does not hold lessons, predictions, tickets and exercises")
    return data | {name: data.get(name, {}) for name in SECTIONS}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
