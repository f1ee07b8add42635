"""What a wrong answer to M2.6 looks like: which number was taken for which, and how a child came out of run."""

from __future__ import annotations

import errno
import os
from typing import Any

from udock_lab.grading import evidence as ev

__all__ = [
    "ANOTHER_WAY", "CLOSED", "IN_ITS_MEMORY", "NO_WAY", "OTHERS_CHILD", "TWO_PIPES", "UNREAD", "UNSENT",
    "copied", "guessed", "info", "misread", "raised",
]  # fmt: skip

OTHERS_CHILD = "os.wait and waitpid(-1) collect any child of your process; waitpid(pid, 0) waits for this one alone."
TWO_PIPES = "two pipes: after the fork each process makes one of its own, and nothing connects them. Make it before."
UNREAD = (
    "the errno was in the pipe, and the parent did not wait for it: an empty pipe is no success, only its end of file "
    "is. A read that waits tells them apart."
)
UNSENT = (
    "the child ended with nothing in the pipe. A variable that it sets is its own; what it writes to a file object "
    "waits in a buffer, and os._exit empties none: flush it, or use os.write."
)
CLOSED = (
    "the child had closed its write end before the exec, and after a failure there is nothing left to write into. "
    "Close-on-exec closes it only when the exec succeeds."
)
ANOTHER_WAY = "another way home than a pipe. A file has to be named, shared and removed; nothing closes it."
NO_WAY = (
    "nothing is open at the fork that both processes then have, so the child has no way to say what it knows. "
    "os.pipe() comes before os.fork(); a file is no way: it has to be named and removed, and nothing closes it."
)
IN_ITS_MEMORY = "the errno stayed in the child. A failed exec raises nothing in the parent: each has its own memory."


def info(values: object) -> str:
    """Write an ExitInfo as the learner would."""
    if not isinstance(values, list) or len(values) != 3:
        return repr(values)
    named = zip(("code", "signal", "errno"), values, strict=True)
    return f"ExitInfo({', '.join(f'{name}={value!r}' for name, value in named if value is not None)})"


def copied(said: ev.Said) -> str:
    """Say how a child came out of run."""
    if said.returned:
        return (
            "return in the child ends the function and not the process: two processes come back from run, and "
            "your caller goes on twice. After a failed exec os._exit ends the child."
        )
    if said.kind == "SystemExit":
        return (
            "exit and sys.exit raise SystemExit, which carries the child out of run into your caller's code. "
            "os._exit ends a process at once."
        )
    if said.kind == "BrokenPipeError":
        return f"nobody reads what the child writes. {TWO_PIPES[0].upper()}{TWO_PIPES[1:]}"
    if said.kind in ("FileNotFoundError", "PermissionError") or said.errno in (errno.ENOEXEC, errno.ENOENT):
        return "a failed exec raises in the child. Nobody catches it there, so it carries the child out of run."
    return (
        f"{said.kind} in the child, which no except there is for, carried it out of run. "
        "A finally with os._exit ends the child whatever happens in it."
    )


def guessed(forks: int) -> str:
    """Say of an errno that nothing has brought home where it comes from."""
    if forks:
        return "the errno was guessed from the exit code: no pipe came home with it, and 126 stands for many of them."
    return (
        "the file was looked at (os.path.exists, os.access, os.stat), and execve was not asked: it may refuse for "
        "reasons that no look at the file shows."
    )


def raised(said: ev.Said, wanted: list[int | None]) -> str:
    """Say what an error that run raised in the caller comes from; ``wanted`` should have come back."""
    if said.kind == "ValueError" and any(name in said.shown for name in errno.errorcode.values()):
        return (
            "the child sends the errno's name and the parent reads it as a number. getattr(errno, name) is its number."
        )
    if said.kind == "ValueError" and said.shown.endswith(("''", "b''")):
        return (
            "nothing came through the pipe, only its end of file. os.pipe() gives two ends: what is written into the "
            "second one is read from the first. The child writes before it ends, and the parent reads the other end."
        )
    if said.kind == "ValueError" and "invalid literal" in said.shown:
        return "what came through the pipe is no number in text: read it in the form in which the child wrote it."
    if said.kind == "ChildProcessError":
        return (
            "a child that has been collected already, or that is none of this process: waitpid has nothing to wait for."
        )
    if said.kind == "OSError" and said.errno == errno.EBADF:
        return (
            "a descriptor that is closed already. A pipe serves one run: make it inside run, and close each end once "
            "in each process."
        )
    if wanted[1] is not None:
        return "a child that a signal has ended may have sent nothing. The wait status says it: ExitInfo(signal=...)."
    if wanted[2] is not None:
        return "raised in the caller. run says in its ExitInfo what happened, also if the exec failed."
    return ""


def misread(got: list[Any] | None, shown: str, wanted: list[int | None], others_arrive: bool = False) -> str:
    """Return which number was taken for which, in words; ``shown`` is what came back if it is no ExitInfo.

    ``others_arrive``: another errno came home in the same way.
    """
    if got is None:
        return _no_info(shown)
    if any(isinstance(value, str) for value in got):
        return _text(got)
    if any(isinstance(value, bool | float) for value in got):
        return "a number of another type: code, signal and errno are int, or None."
    return _not_refused(got, wanted) if wanted[2] is None else _refused(got, wanted[2], wanted[0], others_arrive)


def _no_info(shown: str) -> str:
    if shown == "None":
        return "a way through run that ends without a return (or a print in its place): then None comes back."
    return "ExitInfo(code=...), ExitInfo(signal=...) or ExitInfo(code=..., errno=...) is what comes back."


def _text(got: list[Any]) -> str:
    texts = [value.removeprefix("b").strip(" '\"") for value in got if isinstance(value, str)]
    if any(text in errno.errorcode.values() for text in texts):
        return "the errno's name, as it was sent through the pipe. The number is asked for: getattr(errno, name)."
    if any(text.isdecimal() for text in texts):
        return "text or bytes where a number is asked for; int(...) makes a number of it."
    return "text where a number is asked for: send error.errno, not the sentence that belongs to it."


def _not_refused(got: list[Any], wanted: list[int | None]) -> str:
    """Say what was taken for what where the exec succeeded, or a signal came first."""
    code, _, error = got
    if error == 0:
        return "0 for no error, as in C. Here nothing failed, so errno stays None."
    if wanted[1] is not None and error is not None:
        return "silence taken for a failed exec: a child that a signal ends sends nothing, and its wait status says so."
    if error is not None and code != wanted[0]:
        return "the program's own output taken for an errno. What it prints belongs to it."
    if error is not None:
        return "an exit code taken for proof that the exec failed. Any program may exit with 127 or 126."
    if wanted[1] is not None and code == 0:
        return (
            "a status whose code is 0 was taken for an exit; bits 0 to 6 hold the signal, and bit 7 is the core file's."
        )
    if wanted[1] is not None and code is not None:
        return "a process that a signal has ended has no exit code; ask WIFSIGNALED before WEXITSTATUS."
    if wanted[1] is not None and got[1] == wanted[1] | 0x80:
        return "bit 7 says that a core file was written; it is no part of the signal's number (WTERMSIG)."
    if wanted[0] and code == wanted[0] << 8:
        return "the raw wait status taken for the exit code. Bits 8-15 hold the code."
    return ""


def _refused(got: list[Any], number: int, wanted: int | None, others_arrive: bool) -> str:
    """Say what was taken for what where execve refused."""
    code, _, error = got
    if error is None and code == number:
        return "the errno sent as the exit code: then nobody can tell it from a program that exits with that number."
    if error is None and code == 0 and number == errno.ENOEXEC:
        return "a shell was started in its place, as shells do with such a text. execve has refused, and run says so."
    if error is None and code == 0:
        return "the child's error was swallowed, or another program was started in place of the refused one."
    if error is None and others_arrive and number == errno.ENOENT:  # the same one did, at another time
        return UNREAD
    if error is None and others_arrive:
        return (
            f"{errno.errorcode[number]} was dropped on its way: another errno does come home. Hand on whatever number "
            "comes through the pipe; a table of known ones is never complete."
        )
    if error is None:
        return IN_ITS_MEMORY
    if error == number and code == number:
        return "the errno as exit code: the code is 127 for ENOENT and 126 for every other errno."
    if error == number and code is None:
        return "the errno alone. code says 127 or 126 as well, as a shell would."
    if error == number and code != wanted:
        return "127 says not found (ENOENT), 126 says found and not executable (every other errno)."
    if error == number:
        return ""
    if str(number).startswith(str(error)) or (number & 0xFF) == error:
        return f"only a part of the number was read: {number} was sent, {error} arrived. Read until the end of file."
    if error == errno.EBADF:
        return "EBADF is a bad file descriptor's: it comes from the write into the pipe, whose end was closed before."
    shown = errno.errorcode.get(error, str(error))
    about = f"{shown} ({os.strerror(error)})" if isinstance(error, int) else repr(error)
    return f"{about} for {errno.errorcode[number]}: another number than execve gave."
