"""The disposable process in which a learner's code runs, to be read from top to bottom.

It connects to its keeper, shuts itself in, takes the code, runs it as ``__main__`` and ends as any Python program
ends. What it tells the keeper on the way (a fork returned here, the code came to its end) travels over a socket
on which the kernel adds the sender's pid (unix(7), SO_PASSCRED), so nobody can speak for another process.

This file runs as ``python -I .../runner.py FOLDER``; descriptor 3 is the socket.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from types import CodeType, TracebackType
    from typing import Any

REPORTS = 3
BEGIN = "/udock-lab: the learner's code begins"  # paths that strace will show, and that cannot exist
CAME_TO_THE_END = "/udock-lab: this process came to the end of the code"
CELL = "<sandbox>"


def main(folder: str) -> None:
    """Prepare, then run; the interpreter ends by itself afterwards, clean-up and all."""
    sys.path.insert(0, folder)
    reports = _connect()
    request, names = _shut_in(reports)
    namespace, code = _load(request, names)
    _watch_forks(reports)
    _tell_strace(BEGIN)  # what came before is Python's own start
    _run(reports, namespace, code, os.getpid())


def _connect() -> socket.socket:
    """The socket to a number that learners do not close by accident; nothing else is inherited but 0, 1, 2."""
    import fcntl
    import socket

    high = fcntl.fcntl(REPORTS, fcntl.F_DUPFD_CLOEXEC, 200)
    os.closerange(3, high)
    os.closerange(high + 1, high + 200)
    os.setsid()
    return socket.socket(fileno=high)


def _shut_in(reports: socket.socket) -> tuple[dict[str, Any], bytes]:
    """User namespace, signal guard, limits; each as the keeper's request says. Returns it, and the pickled names."""
    from udock_lab.runtime.messages import decode, encode
    from udock_lab.runtime.wire import receive, send
    from udock_lab.sandbox.identity import enter_user_namespace, hold_signals

    send(reports, encode(["hello"]))
    data, fds = receive(reports)
    request: dict[str, Any] = decode(data)
    with open(fds[0], "rb") as file:
        names = file.read()

    def maps_are_written() -> bool:
        send(reports, encode(["unshared"]))
        return bool(decode(receive(reports)[0]))

    if request["userns"]:
        enter_user_namespace(maps_are_written)
    guard = hold_signals(request["protected"])
    _limit(request["limits"])
    os.chdir(request["cwd"])
    send(reports, encode(["ready", guard]))
    return request, names


def _limit(limits: dict[str, int]) -> None:
    """Each limit as far as the hard limit allows (setrlimit(2)); no core files, and lower priority than Jupyter."""
    import resource

    for name, value in {**limits, "RLIMIT_CORE": 0}.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
    os.nice(5)


def _load(request: dict[str, Any], names: bytes) -> tuple[dict[str, Any], CodeType]:
    """A fresh ``__main__`` with the copied names in it, and the compiled code."""
    import linecache
    import types

    sys.path[:] = request["path"]
    sys.argv = [""]
    main = types.ModuleType("__main__")
    main.__builtins__ = __builtins__  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    namespace = vars(main)
    if names:
        import pickle

        namespace.update(pickle.loads(names))  # noqa: S301 - our own kernel packed it
    for name, text in {CELL: request["source"], **request["sources"]}.items():
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return namespace, _compile(request["source"])


def _compile(source: str) -> CodeType:
    """As a notebook does: an expression at the end shows its value."""
    import ast

    tree = ast.parse(source, CELL)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        shown = ast.Name("__show__", ast.Load())
        last.value = ast.copy_location(ast.Call(ast.copy_location(shown, last), [last.value], []), last)
        ast.fix_missing_locations(tree)
    return compile(tree, CELL, "exec")


def _watch_forks(reports: socket.socket) -> None:
    """Each child says that fork returned in it; a signal to everybody is reported by whoever sends it."""
    from udock_lab.runtime.messages import encode

    def tell(*words: object) -> None:
        with suppress(OSError):  # the learner closed it: the kernel's own evidence remains
            reports.send(encode(words))

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.kill" and arguments[0] == -1:
            tell("kill", int(arguments[1]))

    os.register_at_fork(after_in_child=lambda: tell("forked", os.getppid()))
    sys.addaudithook(audit)


def _tell_strace(words: str) -> None:
    """A call that fails and changes nothing, for whoever watches."""
    with suppress(OSError):
        os.execv(words, [words])


def _run(reports: socket.socket, namespace: dict[str, Any], code: CodeType, first: int) -> None:
    """Run it; every process that comes out at the end says so, and how. No import: no descriptor may be left."""
    import traceback

    from udock_lab.runtime.messages import encode

    namespace["__show__"] = _show
    exit_code: object = 0
    said = ["done", ""]
    raised: BaseException | None = None
    try:
        exec(code, namespace)  # noqa: S102 - this is what the process is for
    except SystemExit as leaving:
        exit_code, said = leaving.code, ["exit", str(leaving.code)]
    except BaseException as error:
        exit_code, said, raised = 1, ["raised", f"{type(error).__name__}: {error}"[:500]], error
    try:
        value = repr(namespace["__value__"])[:500_000] if os.getpid() == first and "__value__" in namespace else ""
        reports.send(encode(["end", *said, value]))
    except (OSError, RecursionError):
        _tell_strace(CAME_TO_THE_END)  # the learner closed our socket
    if raised is not None:
        with suppress(OSError):
            traceback.print_exception(type(raised), raised, _own(raised))
    sys.exit(exit_code)  # type: ignore[arg-type]


def _own(error: BaseException) -> TracebackType | None:
    """The traceback from the learner's own code on; the frames of this file are nobody's business."""
    inner = error.__traceback__
    while inner is not None and inner.tb_frame.f_code.co_filename == __file__:
        inner = inner.tb_next
    return inner


def _show(value: object) -> None:
    if value is not None:
        print(repr(value))


if __name__ == "__main__":
    main(sys.argv[1])
