"""M2.5 in the sandbox: a referee makes tables and looks at what is left, processes with the answer in them search.

Each search is made in a process of its own, so that none is in another's way: one that hangs, ends its process or
remembers something costs its own answer and no other. What is to be found is known to nobody in here: the table says
it. Functions that begin with ``in_`` run where the answer is.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import SystemRandom
from typing import Any

from udock_lab.grading.inside import said
from udock_lab.grading.tables import a_word
from udock_lab.grading.workers import Functions, Load, Questions, Tell, Workers
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.load import crowd
from udock_lab.linux.prctl import PR_SET_DUMPABLE, prctl

__all__ = [
    "PATH",
    "SECONDS",
    "Searchers",
    "a_fresh_path",
    "answers",
    "in_answering",
    "only_reads",
    "stepped",
    "written",
]

SECONDS = 4.0  # for one search in a small table, on a quiet machine
SHORT = 1.0  # once a search has not ended
PATH = b"?"  # in a table: it is drawn when the answer is there
_LONGEST = 1 << 13  # bytes of an answer; the longest path has 5,700
_LOAD = 3600.0  # seconds: a cell that does not end comes to the sandbox's own time limit
Told = dict[str, Any]


def answers(
    load: Load, *, questions: Sequence[tuple[str, bytes | None, str | bytes]], changing: str, short: bool
) -> dict[str, Any]:
    """Ask all questions (where, table, name; no table: there is none), then about a table that changes (its ``name``).

    Ends with the first search that does not end, or says more than a path can hold: ``told`` is shorter then.
    ``paths`` are those in the table that changes, in turn.
    """
    searchers = Searchers(load, seconds=SHORT if short else SECONDS)
    told: list[Told] = []
    for place, table, name in questions:
        db = f"{os.getcwd()}/{place}" if table is None else written(place, table)
        told.append(searchers.ask(db, name))
        if told[-1]["how"] == "late" or "huge" in told[-1]:
            searchers.end()
            return {"told": told}
    seen: dict[str, Any] = {"told": told} | (_anew(searchers, changing) if changing else {})
    searchers.end()
    return seen


def _anew(searchers: Searchers, name: str) -> dict[str, Any]:
    """Ask one process about a table; replaced by another; rewritten in place; removed; made again."""
    paths = [a_fresh_path() for _ in range(3)]
    tables = [f"{name}|{path}|2026-01-0{day}T10:30:00\n".encode() for day, path in enumerate(paths, 1)]
    db = written("images.db", tables[0])
    anew = [searchers.ask(db, name, more=True)]

    def replace() -> None:
        os.replace(written("other", tables[1]), db)

    def rewrite() -> None:
        then = os.stat(db)
        with open(db, "r+b") as file:  # the same file, as long as before and as old
            file.write(tables[2])
        while os.stat(db).st_ctime_ns == then.st_ctime_ns:  # its clock ticks every 4 ms or so: who looks sees the same
            time.sleep(0.002)
            os.utime(db, ns=(then.st_atime_ns, then.st_mtime_ns))
        os.utime(db, ns=(then.st_atime_ns, then.st_mtime_ns))

    for change in (replace, rewrite, lambda: os.unlink(db), lambda: written("images.db", tables[0])):
        if anew[-1]["how"] in ("late", "ended"):
            break
        change()
        anew.append(searchers.ask(db, name, more=len(anew) < 4))
    return {"anew": anew, "paths": paths}


def a_fresh_path() -> str:
    """Return a path that the processes which are there already cannot foretell; all are of one length."""
    return f"/images/{a_word(8, SystemRandom())}/rootfs"


def written(place: str, table: bytes) -> str:
    """Make a table; return its path."""
    path = f"{os.getcwd()}/{place}"
    with open(path, "wb") as file:
        file.write(table)
    return path


class Searchers:
    """Has searches made, one at a time, in a process with the answer in it; by default in a fork of it for each.

    ``alone``: in the process itself, which has ``pid``. ``seconds`` on a quiet machine may pass until an answer comes.
    """

    def __init__(
        self,
        load: Load,
        *,
        seconds: float = SECONDS,
        alone: bool = False,
        before: Callable[[], object] | None = None,
    ) -> None:
        self.seconds = seconds * crowd(5.0)
        self.alone = alone
        self.number = self.since = 0  # the last question, and the first one of the process that answers it
        self.goes_on = False
        self.workers = Workers(load)
        self.questions = self.workers.questions()
        work = in_answering if alone else in_forking
        self.first = self.workers.start(work, self.questions, before=before)
        self.pid = self.first.pid
        self.workers.until(lambda: "ready" in self.first.words or self.first.gone, _LOAD)

    def ask(self, db: str, name: str | bytes, *, more: bool = False) -> Told:
        """Have one search made, and return what came of it.

        With ``more`` the process that made it makes the next one, too.
        """
        self.number += 1
        self.since = self.since if self.goes_on else self.number
        self.goes_on = more
        self.questions.ask(self.number, db, name, more or self.alone)
        came = self.workers.until(self._has_come, self.seconds)
        if (told := self._told()) is not None:
            return told
        self.goes_on = False
        if came:
            status = self.first.status if self.first.gone else self.first.words["ended"][1]
            return {"how": "ended", "shown": f"ended the process ({_words(status)})"}
        for one in list(self.workers.all.values()):
            if one.words.get("asked") == self.number:
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGKILL)
        self.workers.until(self._has_come, 1.0)
        return {"how": "late", "shown": f"was still searching after {self.seconds:.0f} s"}

    def _told(self) -> Told | None:
        """Return the first answer to the last question, whoever gave it: what else comes back is another process."""
        for one in list(self.workers.all.values()):
            answer = one.words.get("answer")
            if isinstance(answer, list) and answer[:1] == [self.number] and isinstance(answer[-1], dict):
                return answer[-1] if "how" in answer[-1] else None
        return None

    def _has_come(self) -> bool:
        ended = self.first.words.get("ended")
        over = isinstance(ended, list) and ended[:1] == [self.since] and isinstance(ended[-1], int)
        return over or self.first.gone or self._told() is not None

    def end(self) -> None:
        """End all processes."""
        self.workers.end()


def _words(status: int) -> str:
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"


# -- in the learner's interpreter -------------------------------------------------------------------------


def in_forking(tell: Tell, functions: Functions, questions: Questions) -> None:
    """Fork for each question; the child answers it, and the next ones where it is asked for more."""
    tell(ready=True)
    while True:
        question = questions.next()
        pid = os.fork()
        if pid == 0:
            try:
                while _answer(tell, functions, *question):
                    question = questions.next()
            finally:
                os._exit(0)
        tell(ended=[question[0], os.waitpid(pid, 0)[1]])


def in_answering(tell: Tell, functions: Functions, questions: Questions) -> None:
    """Answer each question in this process."""
    tell(ready=True)
    while True:
        _answer(tell, functions, *questions.next())


def _answer(tell: Tell, functions: Functions, number: int, db: str, name: str | bytes, more: bool) -> bool:
    """Tell what came of one search; ``opened`` is what Python says (PEP 578), advice for who looks for a mistake."""
    opened: list[object] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            opened.append(arguments[0])

    sys.addaudithook(hook)
    tell(asked=number)
    told = said(functions[0], db, name)
    long = len(repr(told.get("plain"))) > _LONGEST
    tell(answer=[number, told | {"opened": db in opened} | ({"plain": [], "huge": True} if long else {})])
    sys.stdout.flush()  # what it printed is for who looks for a mistake
    return more


# -- what a search does to the machine --------------------------------------------------------------------


def only_reads(load: Load, *, table: bytes, name: str) -> dict[str, Any]:
    """Ask where table and folder are closed for writing, and no capability passes over that.

    Where nobody watches, whoever opens the table for writing is refused. It is asked first while all is open. ``path``
    is what it is asked for.
    """
    os.mkdir("home")
    searcher = Searchers(load, seconds=SECONDS / 2, alone=True, before=drop_capabilities)
    path = a_fresh_path()
    table = table.replace(PATH, path.encode())
    db = written("home/images.db", table)
    files = {*os.listdir("home"), *os.listdir(".")}
    open_before = _descriptors(searcher.pid)
    with suppress(OSError):
        os.kill(searcher.pid, 0)  # traces.py finds it in the record: numbers are there on every rung
    told = [searcher.ask(db, name)]
    os.chmod(db, 0o444)
    os.chmod("home", 0o555)
    looks, left = _looks(db), []
    for one, whose in ((db, name), (db, "unknown"), (f"{os.getcwd()}/nowhere/images.db", name)):
        if told[-1]["how"] in ("late", "ended"):
            break
        told.append(searcher.ask(one, whose))
        left += [link for fd, link in _descriptors(searcher.pid).items() if open_before.get(fd) != link]
    os.chmod("home", 0o755)
    with open(db, "rb") as file:
        same = file.read() == table and _looks(db) == looks
    made = sorted({*os.listdir("home"), *os.listdir(".")} - files)
    searcher.end()
    return {"told": told, "left": left, "same": same, "made": made, "path": path}


def _looks(path: str) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _descriptors(pid: int) -> Mapping[str, str]:
    """Return the open descriptors of a process and where they lead; of one that has ended none."""
    links = {}
    with suppress(OSError):
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                links[fd] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return links


def stepped(load: Load, *, table: bytes, name: str) -> dict[str, Any] | None:
    """Return ``stops``, the calls that change a file or start a program at which a listener stopped a search.

    None where the machine has no such listener (stepping.py). The table is made, and its place told, when the answer is
    loaded: what is stopped after that is a search's. ``told``: what came of the searches.
    """
    from udock_lab.linux.stepping import FILE_CALLS, PROGRAM_CALLS, step_by_step

    workers = Workers(load)
    questions = workers.questions()
    stops: list[str] = []
    path, asked = "", False

    def searches() -> None:
        prctl(PR_SET_DUMPABLE, 1)  # as every process of the answer's
        functions = load()
        workers.tell(ready=True)
        with suppress(OSError):
            os.unlink("ready")  # a stop, at which the referee makes the table
        for one, whose in questions.next():
            workers.tell(answers=said(functions[0], one, whose))

    def look(call: str) -> None:
        nonlocal asked, path
        if asked:
            stops.append(call)
            return
        workers.hear()
        if any("ready" in one.words for one in workers.all.values()):
            path = a_fresh_path()
            db = written("images.db", table.replace(PATH, path.encode()))
            questions.ask((db, name), (db, "unknown"), (f"{os.getcwd()}/nowhere/images.db", name))
            asked = True

    if step_by_step(searches, look, calls=FILE_CALLS | PROGRAM_CALLS) is None:
        return None
    workers.hear()
    told = [answer for one in workers.all.values() for answer in one.words.get("answers", [])]
    workers.end()
    return {"stops": stops, "told": told, "path": path}
