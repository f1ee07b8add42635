"""The disposable process in which a learner's code runs, to be read from top to bottom.

It connects to its keeper, shuts itself in, takes the code, runs it as ``__main__`` and ends as any Python program
ends. What it tells the keeper on the way (a fork returned here, the code came to its end) travels over a socket
on which the kernel adds the sender's pid (channel.py), so nobody can speak for another process.

Everything is imported before the learner's first line: afterwards there may be no descriptor left, no memory, or
another root.
"""

from __future__ import annotations

import fcntl
import linecache
import os
import pickle
import socket
import sys
import traceback
import types
from _ast import Expr, Interactive, Module
from _ast import PyCF_ONLY_AST as ONLY_PARSE
from contextlib import suppress

from udock_lab.isolation.ask import Ask
from udock_lab.isolation.enter import enter
from udock_lab.model.plain import revive, tagged
from udock_lab.runtime.messages import decode, encode
from udock_lab.sandbox.doors import hold_open, import_through
from udock_lab.sandbox.marks import AUDITED, BEGIN, CAME_TO_THE_END
from udock_lab.sandbox.policy import SCRATCH, SandboxPolicy, visible_folders, wanted_by
from udock_lab.sandbox.reading import UNREADABLE, in_words
from udock_lab.sandbox.scratch import small_files
from udock_lab.wire.framing import receive, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType, TracebackType
    from typing import Any

__all__ = ["CELL", "main"]

REPORTS = 3
CELL = "<sandbox>"
VALUE = 1 << 20  # characters of a function's value that travel back
# Modules of the standard library that call fork for somebody else, and what that is called.
_FORKING = {"os": "os.spawn", "subprocess": "subprocess.Popen", "multiprocessing": "multiprocessing"}


def main() -> None:
    """Prepare, then run; the interpreter ends by itself afterwards, clean-up and all."""
    reports = _connect()
    try:
        request, names = _shut_in(reports)
        namespace = _load(request, names)
        codes = _compile(request["source"])
    except UnreadableError as why:
        send(reports, encode(["unreadable", str(why)[:500]]))
        os._exit(1)
    except BaseException as error:
        send(reports, encode(["broken", f"{type(error).__name__}: {error}"[:500]]))
        os._exit(1)
    _watch(reports)
    send(reports, encode(["ready"]))
    _tell_strace(BEGIN)  # what came before is Python's own start
    _run(reports, namespace, codes, os.getpid())


def _connect() -> socket.socket:
    """The socket to a number that learners do not close by accident; nothing else is inherited but 0, 1, 2."""
    high = fcntl.fcntl(REPORTS, fcntl.F_DUPFD_CLOEXEC, 200)
    os.closerange(3, high)
    os.closerange(high + 1, high + 200)
    os.setsid()
    os.umask(0o022)  # whatever the umask of whoever started the launcher: the code's files are alike everywhere
    return socket.socket(fileno=high)


def _shut_in(reports: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Take the keeper's orders, put on what they ask for, and say what came of it. Returns them, and pickled names."""
    send(reports, encode(["hello"]))
    data, fds = receive(reports)
    request: dict[str, Any] = decode(data)
    with open(fds[0], "rb") as file:
        names = file.read()
    policy = revive(SandboxPolicy, request["policy"])
    keeper = _Keeper(reports)
    held = hold_open(visible_folders(policy)) if policy.uid else {}
    child = enter(wanted_by(policy), keeper)
    if policy.walls:
        keeper.tell("walls", list(child.refused))
    elif policy.graded:
        keeper.tell("aside", bool(child.files), import_through(held))
    keeper.tell("guard", child.signals or "none")
    return request, names


class _Keeper:
    """The keeper, as a process sees it that shuts itself in (isolation's Parent)."""

    def __init__(self, reports: socket.socket) -> None:
        self.reports = reports

    def tell(self, *words: object) -> None:
        """Say something; OSError when it is gone."""
        send(self.reports, encode(words))

    def ask(self, ask: Ask) -> int:
        """Have it done out there; 0 or the errno of the refusal."""
        self.tell("ask", tagged(ask))
        return int(decode(receive(self.reports)[0]))

    def inside(self) -> None:
        """Say that this is the first process of its pid namespace."""
        self.tell("inside")

    def ended(self, status: int) -> None:
        """Say how the learner's process ended, and what it left in its folder."""
        self.tell("ended", status)
        self.tell("files", small_files(SCRATCH))

    def alone(self) -> None:
        """Say what is left in the folder now that all are gone."""
        self.tell("files", small_files(SCRATCH))


def _load(request: dict[str, Any], names: bytes) -> dict[str, Any]:
    """A fresh ``__main__`` with the copied names in it."""
    sys.path[:] = request["path"]
    sys.argv = [""]
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    namespace = vars(main)
    if names:
        namespace.update(pickle.loads(names))  # noqa: S301 - our own kernel packed it
    for name, text in {CELL: request["source"], **request["sources"]}.items():
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return namespace


class UnreadableError(Exception):
    """The kernel's ast.parse took it; the compiler, which looks at more, does not."""


def _compile(source: str) -> list[CodeType]:
    """As a notebook does: an expression at the end is code of its own, which shows its value; not before a ``;``."""
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


def _watch(reports: socket.socket) -> None:
    """Each child says that fork returned in it, and by whom; other ways to make and to end processes are named.

    Whatever these functions need is bound here, not looked up: learner code may replace any name of any module.
    """
    forker, asked = os.getpid(), False
    audited, marks, pack, who, caller = AUDITED, (BEGIN, CAME_TO_THE_END), encode, os.getpid, sys._getframe
    pick = _library_that_forks

    def tell(*words: object) -> None:
        with suppress(OSError):  # the learner closed it: the kernel's own evidence remains
            reports.send(pack(words))

    def before() -> None:
        nonlocal forker, asked
        forker = who()
        library = pick(caller(1)) if asked else "_posixsubprocess"  # subprocess's C half asks nobody
        asked = False
        if library:
            tell("audit", library)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal asked
        if event in ("os.fork", "os.forkpty"):
            asked = True
        if event == "os.kill" and arguments[0] == -1:
            tell("kill", int(arguments[1]))
        elif event == "os.exec" and isinstance(arguments[0], str) and arguments[0] not in marks:
            tell("exec", arguments[0])
        elif event in audited:
            tell("audit", event)

    os.register_at_fork(before=before, after_in_child=lambda: tell("forked", forker))
    sys.addaudithook(audit)


def _library_that_forks(frame: FrameType, folder: str = os.path.dirname(os.__file__)) -> str:
    """What of the standard library called os.fork here; empty if that was other code."""
    file = frame.f_code.co_filename  # /usr/lib/python3.11/subprocess.py, <frozen os>
    inside = file.startswith((f"{folder}/", "<frozen "))
    name = file.removeprefix(f"{folder}/").removeprefix("<frozen ").partition("/")[0] if inside else ""
    name = name.removesuffix(">").removesuffix(".py")
    return _FORKING.get(name, "")


def _tell_strace(words: str) -> None:
    """A call that fails and changes nothing, for whoever watches."""
    with suppress(OSError):
        os.execv(words, [words])


def _run(reports: socket.socket, namespace: dict[str, Any], codes: list[CodeType], first: int) -> None:
    """Run it; every process that comes out at the end says so, and how."""
    exit_code: object = 0
    said = ["done", ""]
    raised: BaseException | None = None
    try:
        for code in codes:
            exec(code, namespace)  # noqa: S102 - this is what the process is for
    except SystemExit as leaving:
        exit_code, said = leaving.code, ["exit", _in_words(leaving.code)]
    except BaseException as error:
        exit_code, said, raised = 1, ["raised", f"{type(error).__name__}: {_in_words(error)}"], error
    try:
        value = repr(namespace["__value__"])[:VALUE] if os.getpid() == first and "__value__" in namespace else ""
        send(reports, encode(["end", *said, value]))
    except Exception:  # the learner closed our socket, or a __repr__ of theirs raises
        _tell_strace(CAME_TO_THE_END)
    if raised is not None:
        with suppress(OSError, ValueError):
            traceback.print_exception(type(raised), raised, _own(raised))
    sys.exit(exit_code)  # type: ignore[arg-type]


def _in_words(thing: object) -> str:
    """As ``str``, for things whose own ``__str__`` may raise."""
    try:
        return str(thing)[:500]
    except Exception as error:
        return f"(its __str__ raised {type(error).__name__})"


def _own(error: BaseException) -> TracebackType | None:
    """The traceback from the learner's own code on; the frames of this file are nobody's business."""
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename == __file__:
        inner = inner.tb_next
    return inner
