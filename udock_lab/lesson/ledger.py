"""``progress.json`` in the learner's own home: what was answered, solved and finished.

::

    {"lessons":     {"m2_1a_fork": {"done": true, "orders": {"launch": {"tries": 2, "solved": true}}}},
     "predictions": {"m2_1a_fork": {"lines": {"answer": "one", "verdict": "wrong", "late": false}}},
     "tickets":     {"m2_1a_fork": {"ticket": {"tries": 1, "right": [true, false]}}},
     "exercises":   {"m2_1_process_creation": {...}}}

A change is read, made and renamed into place under a lock, so two kernels at once lose nothing and a reader sees
it before or after. What cannot be read is kept aside; what cannot be written is said once and costs no lesson.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from udock_lab.errors import LockTimeout
from udock_lab.runtime.home import storage_error

__all__ = ["SECTIONS", "Ledger"]

SECTIONS = ("lessons", "predictions", "tickets", "exercises")
PATIENCE = 10.0  # seconds to wait for another kernel's change, which takes milliseconds

Data = dict[str, dict[str, Any]]


class Ledger:
    """The file ``progress.json`` in ``home``."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.path = f"{home}/progress.json"
        self._said: set[str] = set()

    def read(self) -> Data:
        """Everything, each section there. A file that is no progress is moved aside, with a word about it."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return _checked(json.load(file))
        except FileNotFoundError:
            return _checked({})
        except (ValueError, RecursionError) as error:
            self._put_aside(str(error))
        except OSError as error:
            self._say(f"Your progress cannot be read. {storage_error(error, self.home).message}")
        return _checked({})

    def entry(self, section: str, lesson: str) -> dict[str, Any]:
        """What a section holds of one lesson; empty where it holds nothing."""
        found = self.read()[section].get(lesson)
        return found if isinstance(found, dict) else {}

    def change(self, make: Callable[[Data], None]) -> None:
        """Read, let ``make`` change it, write. Where that is refused the lesson goes on; a note says so once."""
        try:
            os.makedirs(self.home, exist_ok=True)
            with self._locked():
                data = self.read()
                make(data)
                self._write(data)
        except OSError as error:
            self._say(f"Your progress is not kept. {storage_error(error, self.home)}")
        except LockTimeout as error:
            self._say(f"Your progress is not kept. {error}")

    def put(self, section: str, lesson: str, name: str, facts: dict[str, Any]) -> None:
        """Set facts under ``section``/``lesson``/``name``; what else stands there stays."""

        def make(data: Data) -> None:
            of_lesson = _dict_in(data[section], lesson)
            _dict_in(of_lesson, name).update(facts)

        self.change(make)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fd = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LockTimeout(f"Another process keeps {self.path}.lock locked.") from None
                    time.sleep(0.01)
            yield
        finally:
            os.close(fd)

    def _write(self, data: Data) -> None:
        """To a file beside it, then one rename (rename(2))."""
        fd, beside = tempfile.mkstemp(prefix=".progress.", dir=self.home)
        try:
            with open(fd, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=1)
            os.replace(beside, self.path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise

    def _put_aside(self, reason: str) -> None:
        number = 1
        while os.path.lexists(f"{self.path}.unreadable-{number}"):
            number += 1
        aside = f"{self.path}.unreadable-{number}"
        try:
            os.rename(self.path, aside)
        except OSError as error:
            self._say(f"Your progress cannot be read ({reason}). {storage_error(error, self.home).message}")
            return
        self._say(
            f"progress.json could not be read ({reason}).\nIt is kept as {os.path.basename(aside)}; a new one begins."
        )

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            sys.stderr.write("".join(f"[mdock] {line}\n" for line in text.splitlines()))


def _checked(data: object) -> Data:
    """With every section there; ValueError for what never was progress."""
    if not isinstance(data, dict) or not all(isinstance(data.get(name, {}), dict) for name in SECTIONS):
        raise ValueError("it does not hold lessons, predictions, tickets and exercises")
    return data | {name: data.get(name, {}) for name in SECTIONS}


def _dict_in(above: dict[str, Any], name: str) -> dict[str, Any]:
    """The dict under ``name``, made where there is none."""
    found = above.get(name)
    if not isinstance(found, dict):
        found = above[name] = {}
    return found
