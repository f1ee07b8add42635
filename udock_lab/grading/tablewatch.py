"""A table, seen by others while an answer changes it: a referee's work (referee.py), inside the sandbox.

Each run is a child that loads the answer and makes one call. Each stop is a look at the table and its permissions by
whoever would read it just then, and at new files elsewhere that hold its content. Where this kernel cannot stop calls
(stepping.py), Python's own audit events take their place (PEP 578), and a limit on the size of files kills a write
half way (setrlimit(2), RLIMIT_FSIZE).
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

from udock_lab.grading.containerrecord import ContainerRecord
from udock_lab.grading.inside import content_of, said
from udock_lab.grading.referee import bounded, hear, in_child, speak
from udock_lab.linux.stepping import FILE_CALLS, step_by_step
from udock_lab.sandbox.removal import SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Call", "Conditions", "TableWatch", "content", "make_calls"]

_MOST = 1 << 16  # bytes of a file that are looked at
_EDGE = 12  # of very many stops, so many at either end are tried
_MODES = {"chmod": (90, 0), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452)}
_CALLS = FILE_CALLS | _MODES
_AUDITED = frozenset({"open", "os.rename", "os.remove", "os.truncate", "os.link", "os.chmod"})
_LOCKS = "lock"  # in the name of an empty file that stays: a lock is held by who is alive, not by who has the file
Call = tuple[str, list[Any]]  # "save" with a record's fields, or "update" with what comes after db


def make_calls(load: Callable[[], list[Callable[..., object]]], db: str, calls: Sequence[Call]) -> list[dict[str, Any]]:
    """Load the answer, make these calls one after the other, and tell what came of each. In a child."""
    functions: list[Callable[..., object]] = []
    loading = said(lambda: functions.extend(load()))
    if len(functions) != 2:
        return [loading for _ in calls]
    save, update = functions
    return [
        said(save, db, ContainerRecord(*arguments)) if name == "save" else said(update, db, *arguments)
        for name, arguments in calls
    ]


class Conditions(NamedTuple):
    """Under which a call is made: the table's permissions, the umask, room for so many bytes in a file (None: any).

    ``bare``: ``db`` is the table's name alone, and its folder the working directory.
    """

    mode: int = 0o644
    umask: int = 0o022
    room: int | None = None
    bare: bool = False


class TableWatch:
    """``secret`` is text that stands in the table and nowhere else. ``texts`` collects what the table was seen as.

    ``seconds``: what one call may take of a processor.
    """

    def __init__(self, load: Callable[[], list[Callable[..., object]]], secret: str, seconds: float) -> None:
        self.load = load
        self.secret = secret
        self.seconds = seconds
        self.here = os.getcwd()
        self.home, temporary = f"{self.here}/home", f"{self.here}/tmp"
        self.db = f"{self.home}/containers.db"
        for folder in (self.home, temporary):
            os.mkdir(folder)
        os.environ["TMPDIR"], tempfile.tempdir = temporary, None
        self.elsewhere = (self.here, temporary, *SHARED)
        self.names = {self.here: "the working directory", temporary: "$TMPDIR, the folder for temporary files"}
        self.texts: list[str | None] = []

    def steps(self, data: bytes, call: Call, conditions: Conditions = Conditions()) -> dict[str, Any]:  # noqa: B008
        """Make one call, looked at from stop to stop; ``stepped``: whether the kernel did the stopping."""
        look = _Look(self, data, conditions)
        run = _Run(self, call, conditions)
        status = step_by_step(run.act, look, calls=_CALLS)
        stepped = status is not None
        if status is None:
            status = run.audited(look)
        return look.told(status) | {"stepped": stepped, "said": run.said()}

    def kills(self, data: bytes, call: Call, steps: dict[str, Any]) -> list[list[Any]]:
        """Kill the same run at each stop, once each: ``[call, what was seen]``."""
        return [[name, seen] for name, seen, _ in self._killed(data, call, steps, None)]

    def after_kills(self, data: bytes, call: Call, steps: dict[str, Any], fewer: bytes) -> list[list[Any]]:
        """Kill the same run at each stop, once each: ``[call, the table after one more run in a new process]``.

        Before that run the table has shrunk to ``fewer``: what the killed one left may be longer than the new one.
        """
        return [[name, after] for name, _, after in self._killed(data, call, steps, fewer)]

    def _killed(self, data: bytes, call: Call, steps: dict[str, Any], fewer: bytes | None) -> list[list[Any]]:
        names = [name for name, *_ in steps["stops"][:-1]] if steps["stepped"] else ["write"]
        found = []
        for at, name in enumerate(names):
            if _EDGE <= at < len(names) - _EDGE:
                continue
            conditions = Conditions(room=None if steps["stepped"] else len(data) // 2)
            look, run = _Look(self, data, conditions), _Run(self, call, conditions)
            if steps["stepped"]:
                told = look.told(step_by_step(run.act, _nothing, kill_at=at + 1, calls=_CALLS))
            else:  # a program that takes a short write for a whole one comes to its end
                told = look.told(run.audited(look))
                if not os.WIFSIGNALED(told["status"]):
                    continue
            run.said()
            found.append([name, told, self.once_more(call, fewer) if fewer is not None else None])
        return found

    def once_more(self, call: Call, fewer: bytes) -> str | None:
        """Return what a call in a new process makes of a table, whatever lies beside it."""
        with open(self.db, "wb") as file:
            file.write(fewer)
        in_child(lambda: make_calls(self.load, self.db, [call]), seconds=self.seconds)
        return content(self.db)


class _Run:
    """One call in a child, made by step_by_step or by ourselves."""

    def __init__(self, watch: TableWatch, call: Call, conditions: Conditions) -> None:
        self.watch = watch
        self.call = call
        self.conditions = conditions
        self.ours, self.theirs = socket.socketpair()

    def act(self) -> None:
        """Be the child: what comes before the answer is loaded is out of its hands."""
        bounded(self.watch.seconds)
        os.umask(self.conditions.umask)
        db = self.watch.db
        if self.conditions.bare:
            os.chdir(self.watch.home)
            db = os.path.basename(db)
        if self.conditions.room is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.conditions.room, self.conditions.room))
        speak(self.theirs, make_calls(self.watch.load, db, [self.call]))

    def said(self) -> object:
        """Return what the child told of its call; None when it did not come so far."""
        self.theirs.close()
        with self.ours:
            told = hear(self.ours)
        return told[0] if isinstance(told, list) and told else None

    def audited(self, look: _Look) -> int:
        """Do as step_by_step, looking at audit events; return the child's wait status."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            self._be_audited(look, theirs)
        theirs.close()
        status = os.waitpid(pid, 0)[1]
        with ours:
            told = hear(ours)
        if isinstance(told, list):  # nothing comes from a child that was killed
            look.stops, foreign_folders, self.watch.texts[:] = told
            look.foreign_folders = set(foreign_folders)
        return status

    def _be_audited(self, look: _Look, theirs: socket.socket) -> None:
        code, looking = 1, False

        def audit(event: str, _: object) -> None:
            nonlocal looking
            if event in _AUDITED and not looking:
                looking = True
                look(event)
                looking = False

        try:
            sys.addaudithook(audit)
            self.act()
            code = 0
        finally:
            looking = True
            speak(theirs, [look.stops, sorted(look.foreign_folders), look.watch.texts])
            os._exit(code)


class _Look:
    """Called at each stop: ``stops`` collects its name, the table's number in ``texts``, its permissions and inode.

    A reader that opened the old table has read half of it before the first one.
    """

    def __init__(self, watch: TableWatch, data: bytes, conditions: Conditions) -> None:
        self.watch = watch
        shutil.rmtree(watch.home)  # with what killed ones left
        os.mkdir(watch.home)
        with open(watch.db, "wb") as file:
            file.write(data)
        os.chmod(watch.db, conditions.mode)
        self.before = {folder: _names(folder) for folder in watch.elsewhere}
        self.stops: list[list[Any]] = []
        self.foreign_folders: set[str] = set()
        self.reader = open(watch.db, "rb", buffering=0)  # noqa: SIM115 - it stays open while the table changes
        self.half = self.reader.read(len(data) // 2)

    def __call__(self, name: str) -> None:
        text, texts = content(self.watch.db), self.watch.texts
        if text not in texts:
            texts.append(text)
        self.stops.append([name, texts.index(text), *_mode_and_inode(self.watch.db)])
        for folder in self.watch.elsewhere:
            new = _names(folder) - self.before[folder]
            if any(self.watch.secret in (content(f"{folder}/{one}") or "") for one in new):
                self.foreign_folders.add(self.watch.names.get(folder, folder))

    def told(self, status: int | None) -> dict[str, Any]:
        """Return what was seen, as plain data."""
        self("end")
        with self.reader:
            held = self.half + self.reader.read(_MOST)
        return {
            "stops": self.stops,
            "foreign_folders": sorted(self.foreign_folders),
            "left": left_in(self.watch.home),
            "held": held.decode("latin-1"),
            "status": status,
        }


def left_in(home: str) -> list[str]:
    """Return what lies in the table's folder beside the table, but for an empty lock file."""
    table = "containers.db"
    return sorted(
        name for name in _names(home) if name != table and not (_LOCKS in name and content(f"{home}/{name}") == "")
    )


def _nothing(_: str) -> None:
    """Look at nothing."""


def content(path: str) -> str | None:
    """Return the file, a byte a character; None where there is no such file."""
    return content_of(path, _MOST)


def _mode_and_inode(path: str) -> tuple[int | None, int | None]:
    try:
        about = os.stat(path)
    except OSError:
        return None, None
    return about.st_mode & 0o7777, about.st_ino


def _names(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()
