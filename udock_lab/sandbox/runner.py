"""The disposable process in which a learner's code runs, to be read from top to bottom.

It connects to its keeper, shuts itself in, takes the code, runs it as ``__main__`` and ends as any Python program
ends. What it tells the keeper on the way (a fork returned here, the code came to its end) travels over a socket
on which the kernel adds the sender's pid (wire/hearing.py), so nobody can speak for another process.

Everything is imported before the learner's first line: afterwards there may be no descriptor left, no memory, or
another root.
"""

from __future__ import annotations

import fcntl
import linecache
import os
import sys
import traceback
import types
from _ast import Expr, Interactive, Module
from _ast import PyCF_ONLY_AST as ONLY_PARSE
from contextlib import suppress

from udock_lab.isolation.ask import ASKS
from udock_lab.isolation.enter import enter
from udock_lab.sandbox.descriptors import OURS, REPORTS
from udock_lab.sandbox.messages import (
    Answered,
    Aside,
    Asked,
    Broken,
    End,
    Ended,
    Files,
    FirstEnded,
    Guard,
    Hello,
    Inside,
    Isolated,
    Orders,
    Ready,
    Unreadable,
    encode,
    to_runner,
)
from udock_lab.sandbox.policy import SCRATCH, visible_folders, wanted_by
from udock_lab.sandbox.scratch import small_files
from udock_lab.sandbox.strace_markers import BEGIN, CAME_TO_THE_END
from udock_lab.sandbox.telling import tell_of_processes, tell_strace
from udock_lab.text.unreadable import UNREADABLE, in_words
from udock_lab.wire.framing import adopt, receive, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Callable
    from types import CodeType, TracebackType

    from udock_lab.isolation.ask import Ask
    from udock_lab.wire.messages import Message

__all__ = ["CELL", "main"]

CELL = "<sandbox>"
VALUE = 1 << 20  # characters of a function's value that travel back


def main() -> None:
    """Prepare, then run; the interpreter ends by itself afterwards, clean-up and all."""
    reports = _connect()
    names = b""
    try:
        orders, names, lines = _shut_in(reports)
        namespace = _load(orders, names)
        codes = _compile(orders.source)
    except UnreadableError as why:
        send(reports, encode(Unreadable(why=str(why)[:500])))
        os._exit(1)
    except BaseException as error:
        names, error.__traceback__ = b"", None  # names too big for the limit leave no room to say so
        send(reports, encode(Broken(why=f"{type(error).__name__}: {error}"[:500])))
        os._exit(1)
    tell_of_processes(reports)
    leave = _log_lines(lines, (CELL, *orders.files), namespace)
    send(reports, encode(Ready()))
    tell_strace(BEGIN)  # what came before is Python's own start
    _run(reports, namespace, codes, leave)


def _connect() -> socket:
    """Move the socket to a number that learners do not close by accident.

    Nothing else is inherited but 0, 1, 2.
    """
    high = fcntl.fcntl(REPORTS, fcntl.F_DUPFD_CLOEXEC, OURS)
    os.closerange(3, high)
    os.closerange(high + 1, high + 200)
    os.setsid()
    os.umask(0o022)  # whatever the umask of whoever started the launcher: the code's files are alike everywhere
    return adopt(high)


def _shut_in(reports: socket) -> tuple[Orders, bytes, int]:
    """Take the keeper's orders, put on what they ask for, say what came of it.

    Return them, the pickled names, and the descriptor of the memory that lines are logged in, or -1.
    """
    keeper = _Keeper(reports)
    keeper.tell(Hello())
    data, (names_fd, *lines) = receive(reports)
    orders = to_runner(data)
    assert isinstance(orders, Orders)
    with open(names_fd, "rb") as file:
        names = file.read()
    policy = orders.policy
    held = {}
    if policy.uid:
        from udock_lab.sandbox.doors import hold_open, import_through

        held = hold_open(visible_folders(policy))
    child = enter(wanted_by(policy), keeper)
    if policy.isolated:
        keeper.tell(Isolated(refused=tuple(child.refused)))
    elif policy.graded:
        keeper.tell(Aside(kept_to=bool(child.files), closed=import_through(held) if held else ""))
    keeper.tell(Guard(by=child.signals or "none"))
    return orders, names, lines[0] if lines else -1


class _Keeper:
    """The keeper, as a process sees it that shuts itself in (isolation's Parent)."""

    def __init__(self, reports: socket) -> None:
        self.reports = reports

    def tell(self, message: Message) -> None:
        """Say something; OSError when it is gone."""
        send(self.reports, encode(message))

    def ask(self, ask: Ask) -> int:
        """Have it done out there; 0 or the errno of the refusal."""
        assert isinstance(ask, ASKS)
        self.tell(Asked(ask=ask))
        answer = to_runner(receive(self.reports)[0])
        assert isinstance(answer, Answered)
        return answer.errno

    def inside(self) -> None:
        """Say that this is the first process of its pid namespace."""
        self.tell(Inside())

    def ended(self, status: int) -> None:
        """Say how the learner's process ended, and what it left in its folder."""
        self.tell(FirstEnded(status=status))
        self.alone()

    def alone(self) -> None:
        """Say what is left in the folder now that all are gone."""
        self.tell(Files(files=small_files(SCRATCH)))


def _load(orders: Orders, names: bytes) -> dict[str, object]:
    """Make a fresh ``__main__`` with the copied names in it."""
    sys.path[:] = orders.policy.path
    sys.argv = [""]
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    namespace = vars(main)
    if names:
        import pickle

        namespace.update(pickle.loads(names))  # noqa: S301 - our own kernel packed it
    for name, text in {CELL: orders.source, **orders.sources}.items():
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return namespace


class UnreadableError(Exception):
    """The kernel's ast.parse took it; the compiler, which looks at more, does not."""


def _compile(source: str) -> list[CodeType]:
    """Compile as a notebook does.

    An expression at the end is code of its own, which shows its value; not before a ``;``.
    """
    try:
        return _compiled(source)
    except MemoryError:
        raise  # here it means what it says
    except UNREADABLE as error:
        raise UnreadableError(in_words(error)) from None


def _compiled(source: str) -> list[CodeType]:
    tree = compile(source, CELL, "exec", ONLY_PARSE, dont_inherit=True)
    assert isinstance(tree, Module)
    shows = tree.body and isinstance(tree.body[-1], Expr) and not source.rstrip().endswith(";")
    last = tree.body.pop() if shows else None
    codes = [compile(tree, CELL, "exec", dont_inherit=True)]
    if last is not None:
        codes.append(compile(Interactive([last]), CELL, "single", dont_inherit=True))
    return codes


def _log_lines(memory: int, files: tuple[str, ...], namespace: dict[str, object]) -> Callable[[], None]:
    """Log lines from now on, if that is wanted; return what to call at the code's end. No descriptor stays open."""
    if memory < 0:
        return lambda: None
    from udock_lab.linux.sharedmemory import map_shared
    from udock_lab.sandbox.line_log import SIZE, log_lines

    log = map_shared(memory, SIZE)
    os.close(memory)
    return log_lines(log, files, namespace) if log is not None else lambda: None


def _run(reports: socket, namespace: dict[str, object], codes: list[CodeType], leave: Callable[[], None]) -> None:
    """Run it; every process that comes out at the end says so, and how."""
    first = os.getpid()
    exit_code: object = 0
    end = End(how="done")
    raised: BaseException | None = None
    try:
        for code in codes:
            exec(code, namespace)  # noqa: S102 - this is what the process is for
    except SystemExit as leaving:
        exit_code, end = leaving.code, End(how="exit", words=_in_words(leaving.code))
    except BaseException as error:
        exit_code, end, raised = 1, End(how="raised", words=f"{type(error).__name__}: {_in_words(error)}"), error
    leave()
    try:
        value = repr(namespace["__value__"])[:VALUE] if os.getpid() == first and "__value__" in namespace else ""
        send(reports, encode(Ended(how=end.how, words=end.words, value=value)))
    except Exception:  # the learner closed our socket, or a __repr__ of theirs raises
        tell_strace(CAME_TO_THE_END)
    if raised is not None:
        with suppress(OSError, ValueError):
            traceback.print_exception(type(raised), raised, _own(raised))
    sys.exit(exit_code)  # type: ignore[arg-type]


def _in_words(thing: object) -> str:
    """Write a thing as ``str`` does, also where its own ``__str__`` may raise."""
    try:
        return str(thing)[:500]
    except Exception as error:
        return f"(its __str__ raised {type(error).__name__})"


def _own(error: BaseException) -> TracebackType | None:
    """Return the traceback from the learner's own code on, without the frames of this file."""
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename == __file__:
        inner = inner.tb_next
    return inner
