"""What the sandbox runs for M2.5: searches, each in a process of its own, so that none is in another's way.

A search that hangs, ends its process or remembers something costs its own answer and no other. What a learner's
function said comes back through a pipe, one answer at a time.
"""

from __future__ import annotations

import marshal
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from udock_lab.grading.inside import high_pipe, said
from udock_lab.linux.capabilities import drop_capabilities
from udock_lab.linux.load import crowd

__all__ = ["SECONDS", "answers", "asked", "only_reads", "stepped", "written"]

Find = Callable[[str, str], object]
Tell = Callable[[dict[str, object]], None]
SECONDS = 4.0  # for one search in a small table, on a quiet machine
_SHORT = 0.25  # of that, once a search has not ended
_MOST_LATE = 6
_LONGEST = 1 << 13  # bytes of an answer; the longest path has 5,700


def answers(
    find: Find, *, groups: dict[str, list[tuple[str, bytes | None, str | bytes]]], changing: tuple[str, list[bytes]]
) -> dict[str, list[dict[str, object]]]:
    """Ask all questions (where, table, name; no table: there is none) of all groups; then about one that changes.

    Of a group in which a search does not end, or says more than a path can hold, nothing more is asked.
    """
    told: dict[str, list[dict[str, object]]] = {}
    late = 0
    for group, questions in groups.items():
        told[group] = []
        for question in questions:
            seconds = SECONDS * (_SHORT if late else 1.0)
            (answer,) = asked(1, lambda tell, one=question: tell(_ask(find, *one)), seconds)  # type: ignore[misc]
            told[group].append(answer)
            late += answer["how"] == "late"
            if answer["how"] == "late" or "huge" in answer:
                break
        if late == _MOST_LATE:
            return told
    name, tables = changing
    told["anew"] = asked(
        5, lambda tell: _ask_while_it_changes(find, name, tables, tell), SECONDS * (_SHORT if late else 1.0)
    )
    return told


def asked(count: int, ask: Callable[[Tell], object], seconds: float) -> list[dict[str, object]]:
    """Let a child ask, which tells ``count`` answers; return them, and why one is missing where one is.

    ``seconds`` on a quiet machine may pass between two of them.
    """
    read, write = high_pipe()
    pid = os.fork()
    if pid == 0:
        try:
            ask(lambda answer: _send(write, answer))
            sys.stdout.flush()  # what it printed is for who looks for a mistake
        finally:
            os._exit(0)
    os.close(write)
    seconds *= crowd(5.0)
    got, ended = _heard(read, count, seconds)
    if not ended:
        os.kill(pid, signal.SIGKILL)
    os.close(read)
    status = os.waitpid(pid, 0)[1]
    if len(got) < count:
        why = f"ended the process ({_words(status)})" if ended else f"was still searching after {seconds:.0f} s"
        got.append({"how": "ended" if ended else "late", "shown": why})
    return got


def written(place: str, table: bytes) -> str:
    """Make a table; return its path."""
    path = f"{os.getcwd()}/{place}"
    with open(path, "wb") as file:
        file.write(table)
    return path


def _words(status: int) -> str:
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit code {os.WEXITSTATUS(status)}"


def _send(fd: int, answer: dict[str, object]) -> None:
    data = marshal.dumps(answer)
    if len(data) > _LONGEST:
        data = marshal.dumps(answer | {"plain": [], "huge": True})
    data = len(data).to_bytes(4, "big") + data
    while data:
        data = data[os.write(fd, data) :]


def _heard(fd: int, count: int, seconds: float) -> tuple[list[dict[str, object]], bool]:
    """Return the answers that came, and whether all came or the other side has ended."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    got: list[dict[str, object]] = []
    data, until = b"", time.monotonic() + seconds
    while poll.poll(max(0.0, until - time.monotonic()) * 1000):
        piece = os.read(fd, 1 << 16)
        if not piece:
            return got, True
        data += piece
        while len(data) >= 4 and len(data) >= (end := 4 + int.from_bytes(data[:4], "big")):
            got.append(marshal.loads(data[4:end]))  # noqa: S302 (our own child's)
            data, until = data[end:], time.monotonic() + seconds
        if len(got) >= count:  # more than that says a process of the learner's that came back as well
            return got[:count], True
    return got, False


def _ask(find: Find, place: str, table: bytes | None, name: str | bytes) -> dict[str, object]:
    """Ask one question; ``opened`` in the answer is what Python says (PEP 578), advice for who looks for a mistake."""
    db = f"{os.getcwd()}/{place}" if table is None else written(place, table)
    opened: list[object] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            opened.append(arguments[0])

    sys.addaudithook(hook)
    answer = said(find, db, name)
    return answer | {"opened": db in opened}


def _ask_while_it_changes(find: Find, name: str, tables: list[bytes], tell: Tell) -> None:
    """Ask about a table; replaced by another; rewritten in place; removed; made again."""
    db = written("images.db", tables[0])
    tell(said(find, db, name))
    os.replace(written("other", tables[1]), db)
    tell(said(find, db, name))
    then = os.stat(db)
    with open(db, "r+b") as file:  # the same file, as long as before and as old
        file.write(tables[2])
    while os.stat(db).st_ctime_ns == then.st_ctime_ns:  # its clock ticks every 4 ms or so: whoever looks sees the same
        time.sleep(0.002)
        os.utime(db, ns=(then.st_atime_ns, then.st_mtime_ns))
    os.utime(db, ns=(then.st_atime_ns, then.st_mtime_ns))
    tell(said(find, db, name))
    os.unlink(db)
    tell(said(find, db, name))
    written("images.db", tables[0])
    tell(said(find, db, name))


def only_reads(find: Find, *, table: bytes, name: str) -> dict[str, object]:
    """Ask where table and folder are closed for writing, and no capability passes over that.

    Where nobody watches, whoever opens the table for writing is refused. It is asked first while all is open.
    """
    os.mkdir("home")
    db = written("home/images.db", table)
    files = {*os.listdir("home"), *os.listdir(".")}
    open_before = _descriptors()
    first = _in_time(find, db, name)
    os.chmod(db, 0o444)
    os.chmod("home", 0o555)
    drop_capabilities()
    looks = _looks(db)
    told, left = [], []
    for one, whose in ((db, name), (db, "unknown"), (f"{os.getcwd()}/nowhere/images.db", name)):
        told.append(_in_time(find, one, whose))
        left += [link for fd, link in _descriptors().items() if open_before.get(fd) != link]
    os.chmod("home", 0o755)
    with open(db, "rb") as file:
        same = file.read() == table and _looks(db) == looks
    made = sorted({*os.listdir("home"), *os.listdir(".")} - files)
    return {"first": first, "told": told, "left": left, "same": same, "made": made}


class _LateError(BaseException):
    """A search in this process has taken too long."""


def _in_time(find: Find, db: str, name: str) -> dict[str, object]:
    """Ask in this process, where a second one would be taken for the learner's; a search that hangs is broken off."""

    def too_late(*_: object) -> None:
        raise _LateError

    signal.signal(signal.SIGALRM, too_late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS / 2 * crowd(5.0))
    try:
        return said(find, db, name)
    except _LateError:
        return {"how": "late", "shown": "was still searching"}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _looks(path: str) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _descriptors() -> dict[str, str]:
    links = {}
    for fd in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that listed them
            links[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return links


def stepped(find: Find, *, table: bytes, name: str) -> list[str] | None:
    """Return the calls that change a file or start a program at which a listener stopped a search (stepping.py).

    None where the machine has no such listener.
    """
    from udock_lab.linux.stepping import FILE_CALLS, PROGRAM_CALLS, step_by_step

    db = written("images.db", table)
    stops: list[str] = []

    def ways() -> None:
        for one, whose in ((db, name), (db, "unknown"), (f"{os.getcwd()}/nowhere/images.db", name)):
            said(find, one, whose)

    found = step_by_step(ways, stops.append, calls=FILE_CALLS | PROGRAM_CALLS)
    return stops if found is not None else None
