"""What every process in the sandbox says of itself, while learner code runs in it.

Whatever these functions need is bound when they are made, not looked up when they run: learner code may replace any
name of any module. It may also close the socket: then the kernel's own evidence remains.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from udock_lab.sandbox.messages import Audited, Execs, Forked, Kills, numbers_writer, text_writer
from udock_lab.sandbox.strace_markers import AUDITED, BEGIN, CAME_TO_THE_END

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from types import FrameType
    from typing import Any

__all__ = ["tell_of_processes", "tell_strace"]

# Modules of the standard library that call fork for somebody else, and what that is called.
_FORKING = {"os": "os.spawn", "subprocess": "subprocess.Popen", "multiprocessing": "multiprocessing"}


def tell_of_processes(reports: socket) -> None:
    """Tell of processes from now on.

    Each child says that fork returned in it; other ways to make and to end processes are named.
    """
    say, refused = reports.send, OSError
    forked, kills, execs, audited = (
        numbers_writer(Forked), numbers_writer(Kills), text_writer(Execs), text_writer(Audited)
    )  # fmt: skip
    told, markers, text = AUDITED, (BEGIN, CAME_TO_THE_END), str
    who, caller, pick, is_a = os.getpid, sys._getframe, _library_that_forks, isinstance
    forker, forks, asked = who(), 0, False

    def tell(word: bytes) -> None:
        try:  # noqa: SIM105 - suppress() would look names up
            say(word)
        except refused:
            pass

    def before() -> None:
        nonlocal forker, forks, asked
        forker, forks = who(), forks + 1
        library = pick(caller(1)) if asked else "_posixsubprocess"  # subprocess's C half asks nobody
        asked = False
        if library:
            tell(audited(library))

    def in_child() -> None:
        nonlocal forks
        number, forks = forks, 0
        tell(forked(forker, number))

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal asked
        if event in ("os.fork", "os.forkpty"):
            asked = True
        if event == "os.kill" and arguments[0] == -1:
            tell(kills())
        elif event == "os.exec" and is_a(arguments[0], text) and arguments[0] not in markers:
            tell(execs(arguments[0]))
        elif event in told:
            tell(audited(event))

    os.register_at_fork(before=before, after_in_child=in_child)
    sys.addaudithook(audit)


def _library_that_forks(
    frame: FrameType, folder: str = f"{os.path.dirname(os.__file__)}/", known: dict[str, str] = _FORKING
) -> str:
    """Name what of the standard library called os.fork here; empty if that was other code."""
    file = frame.f_code.co_filename  # /usr/lib/python3.11/subprocess.py, <frozen os>
    if not file.startswith((folder, "<frozen ")):
        return ""
    name = file.removeprefix(folder).removeprefix("<frozen ").partition("/")[0]
    return known.get(name.removesuffix(">").removesuffix(".py"), "")


def tell_strace(marker: str) -> None:
    """Make a call that fails and changes nothing, for whoever watches."""
    with suppress(OSError):
        os.execv(marker, [marker])
