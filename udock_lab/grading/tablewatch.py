"""A table, seen by others while a learner's function changes it. Runs inside the sandbox, beside their code.

Each stop is a look at the table by whoever would read it just then, and at new files elsewhere that hold its
content. Where this kernel cannot stop calls (stepping.py), Python's own audit events take their place (PEP 578),
and a limit on the size of files kills a write half way (setrlimit(2), RLIMIT_FSIZE).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from udock_lab.linux.stepping import step_by_step
from udock_lab.sandbox.removal import SHARED

__all__ = ["TableWatch"]

_MOST = 1 << 16  # bytes of a file that are looked at
_EDGE = 12  # of very many stops, so many at either end are tried
_AUDITED = frozenset({"open", "os.rename", "os.remove", "os.truncate", "os.link"})
Action = Callable[[str], object]


class TableWatch:
    """``secret`` is text that stands in the table and nowhere else. ``texts`` collects what the table was seen as."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.here = os.getcwd()
        self.home, temporary = f"{self.here}/home", f"{self.here}/tmp"
        self.db = f"{self.home}/containers.db"
        for folder in (self.home, temporary):
            os.mkdir(folder)
        os.environ["TMPDIR"], tempfile.tempdir = temporary, None
        self.elsewhere = (self.here, temporary, *SHARED)
        self.names = {self.here: "the working directory", temporary: "$TMPDIR, the folder for temporary files"}
        self.texts: list[str | None] = []

    def steps(self, data: bytes, action: Action) -> dict[str, Any]:
        """Run ``action(db)`` once, looked at from stop to stop; ``stepped``: whether the kernel did the stopping."""
        look = _Look(self, data)
        status = step_by_step(lambda: action(self.db), look)
        stepped = status is not None
        if not stepped:
            status = _by_audit(lambda: action(self.db), look)
        return look.told(status) | {"stepped": stepped}

    def kills(self, data: bytes, action: Action, steps: dict[str, Any], fewer: bytes) -> list[list[Any]]:
        """Kill the same run at each stop, once each.

        Returns ``[call, what was seen, the table after one more run in a new process]``. Before that run
        the table has shrunk to ``fewer``: what the killed one left may be longer than the new one.
        """
        if not steps["stepped"]:
            return self._cut_short(data, action, fewer)
        found = []
        names = [name for name, _ in steps["stops"][:-1]]
        for at, name in enumerate(names):
            if _EDGE <= at < len(names) - _EDGE:
                continue
            look = _Look(self, data)
            status = step_by_step(lambda: action(self.db), _nothing, kill_at=at + 1)
            found.append([name, look.told(status), self._once_more(action, fewer)])
        return found

    def _cut_short(self, data: bytes, action: Action, fewer: bytes) -> list[list[Any]]:
        """Kill it when half a table is written.

        A program that takes a short write for a whole one comes to its end.
        """
        look = _Look(self, data)
        status = _by_audit(lambda: action(self.db), look, room=len(data) // 2)
        told = look.told(status)
        return [["write", told, self._once_more(action, fewer)]] if os.WIFSIGNALED(status) else []

    def _once_more(self, action: Action, fewer: bytes) -> str | None:
        with open(self.db, "wb") as file:
            file.write(fewer)
        pid = os.fork()
        if pid == 0:
            try:
                action(self.db)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        return _content(self.db)


class _Look:
    """Called at each stop; a reader that opened the old table has read half of it before the first one."""

    def __init__(self, watch: TableWatch, data: bytes) -> None:
        self.watch = watch
        shutil.rmtree(watch.home)  # with what killed ones left
        os.mkdir(watch.home)
        with open(watch.db, "wb") as file:
            file.write(data)
        self.before = {folder: _names(folder) for folder in watch.elsewhere}
        self.stops: list[list[Any]] = []
        self.foreign_folders: set[str] = set()
        self.reader = open(watch.db, "rb", buffering=0)  # noqa: SIM115 - it stays open while the table changes
        self.half = self.reader.read(len(data) // 2)

    def __call__(self, name: str) -> None:
        text, texts = _content(self.watch.db), self.watch.texts
        if text not in texts:
            texts.append(text)
        self.stops.append([name, texts.index(text)])
        for folder in self.watch.elsewhere:
            new = _names(folder) - self.before[folder]
            if any(self.watch.secret in (_content(f"{folder}/{one}") or "") for one in new):
                self.foreign_folders.add(self.watch.names.get(folder, folder))

    def told(self, status: int | None) -> dict[str, Any]:
        """Return what was seen, as plain data."""
        self("end")
        with self.reader:
            held = self.half + self.reader.read(_MOST)
        left = sorted(_names(self.watch.home) - {os.path.basename(self.watch.db), *self._locks()})
        return {
            "stops": self.stops,
            "foreign_folders": sorted(self.foreign_folders),
            "left": left,
            "held": held.decode("latin-1"),
            "status": status,
        }

    def _locks(self) -> set[str]:
        """Return the table's lock file, if somebody takes the lock that all programs agree on.

        It stays, and it is empty.
        """
        lock = f"{self.watch.db}.lock"
        return {os.path.basename(lock)} if _content(lock) == "" else set()


def _nothing(_: str) -> None:
    """Look at nothing."""


def _content(path: str) -> str | None:
    """Return the file, a byte a character; None where there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read(_MOST).decode("latin-1")
    except OSError:
        return None


def _names(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _by_audit(action: Callable[[], object], look: _Look, room: int | None = None) -> int:
    """Do as step_by_step, looking at audit events instead.

    With ``room`` a write past so many bytes is deadly.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _audited(action, look, room, write)
    os.close(write)
    with open(read, "rb") as file:
        said = file.read()
    if said:  # nothing comes from a child that was killed
        look.stops, foreign_folders, look.watch.texts[:] = json.loads(said)
        look.foreign_folders = set(foreign_folders)
    return os.waitpid(pid, 0)[1]


def _audited(action: Callable[[], object], look: _Look, room: int | None, write: int) -> None:
    """Be the child. Never returns."""
    code, looking = 1, False

    def audit(event: str, _: object) -> None:
        nonlocal looking
        if event in _AUDITED and not looking:
            looking = True
            look(event)
            looking = False

    try:
        sys.addaudithook(audit)
        if room is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        action()
        code = 0
    finally:
        looking = True
        os.write(write, json.dumps([look.stops, sorted(look.foreign_folders), look.watch.texts]).encode())
        os._exit(code)
