"""Every exception of mdock.

::

    MdockError                     something went wrong; the message says what to type next
    ├── UsageError                 the arguments are wrong
    ├── NotFound                   no such image, container, file
    ├── Conflict                   it exists, is in use, or is running
    ├── Unsupported                this machine refuses the feature; carries the probe's reason
    ├── LockTimeout                another process keeps the lock of the home
    ├── StorageError               the home could not be read or written (disk full, read-only, ...)
    ├── LauncherDied               the supervising process is gone
    └── StepFailed(step, errno)    a step of the container's set-up failed: exit code 125
        └── ExecFailed             execve itself failed: exit code 126 or 127

A container's non-zero exit is a result, never an exception. :class:`Interrupted`, with :class:`LetGo` below it,
and :class:`SandboxInterrupted` stand apart: they are a KeyboardInterrupt, so that an interrupted cell stops "Run All"
as an interrupted cell does.
"""

from __future__ import annotations

import os
from errno import errorcode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Conflict",
    "ExecFailed",
    "Interrupted",
    "LauncherDied",
    "LetGo",
    "LockTimeout",
    "MdockError",
    "NotFound",
    "SandboxInterrupted",
    "StepFailed",
    "StorageError",
    "Unsupported",
    "UsageError",
]


def _readable(text: str) -> str:
    """Spell out bytes that are no text, of a file's name for instance: a message goes wherever text goes."""
    return text.encode("utf-8", "backslashreplace").decode()


class MdockError(Exception):
    """Something mdock could not do.

    ``message`` says what happened and why; ``hint``, when there is one, says what to type next.
    ``str(error)`` gives both. ``exit_code`` is what the command line exits with.
    """

    exit_code = 125

    def __init__(self, message: str, hint: str = "") -> None:
        message, hint = _readable(message), _readable(hint)
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback: the message is enough."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(MdockError):
    """The arguments are wrong."""


class NotFound(MdockError):
    """There is no such image, container or file."""


class Conflict(MdockError):
    """It exists already, is in use, or is (not) running."""


class Unsupported(MdockError):
    """This machine refuses the feature; the message carries the reason."""


class LockTimeout(MdockError):
    """Another process keeps the lock of the home."""


class StorageError(MdockError):
    """The home could not be read or written."""


class LauncherDied(MdockError):
    """The process that forks and supervises containers is gone."""


class StepFailed(MdockError):
    """A step between fork and exec failed. ``step`` is its name, ``errno`` the kernel's answer."""

    def __init__(self, step: str, errno: int, message: str = "", hint: str = "") -> None:
        text = message or f"{step} failed: {errorcode.get(errno, errno)} ({os.strerror(errno)})"
        super().__init__(text, hint)
        self.step = step
        self.errno = errno


class ExecFailed(StepFailed):
    """``execve`` failed (execve(2)); ``exit_code`` is 127 for ENOENT, else 126."""

    def __init__(self, program: str, errno: int, exit_code: int, message: str = "", hint: str = "") -> None:
        super().__init__("execve", errno, message or "", hint)
        self.program = program
        self.exit_code = exit_code


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or the notebook's interrupt: what was interrupted has ended and its end is recorded.

    Not an MdockError: ``except Exception`` must not catch an interrupt. ``message`` says what was interrupted
    and how it ended, ``hint`` what to type next, ``signal`` what interrupted it (SIGINT).
    """

    def __init__(self, message: str, hint: str = "", container_id: str = "", signal: int = 2) -> None:
        super().__init__(message)
        self.signal = signal
        self.message = message
        self.hint = hint
        self.container_id = container_id  # whose log holds the output; empty where no log does

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [f"KeyboardInterrupt: {self.message}", *([self.hint] if self.hint else [])]


class LetGo(Interrupted):
    """Interrupted three times with nobody there to act on it: the caller is free, what was interrupted has not ended.

    ``stopped`` are the processes of ours that a signal stopped (SIGSTOP, signal(7)); where there are none,
    ``supervisor`` is the one that does not answer. ``unread``: it is the caller's output that nobody takes.
    """

    def __init__(
        self, what: str, container_id: str, stopped: Sequence[int], supervisor: int | None, *, unread: bool = False
    ) -> None:
        self.stopped = tuple(stopped)
        self.unread = unread
        if unread:
            message, hint = f"{what} is let go: its output is not read.", "See what became of it with: mdock ps"
        elif stopped:
            pids = " ".join(map(str, stopped))
            which = f"process {pids}, which supervises it, is" if len(stopped) == 1 else f"its supervisors, {pids}, are"
            message = f"{what} is let go: {which} stopped."
            hint = f"Continue with: kill -CONT {pids}   Then it is ended, and its end is recorded."
        else:
            message = f"{what} is let go: the process that supervises it ({supervisor or 'unknown'}) does not answer."
            hint = "See what becomes of it with: mdock ps"
        super().__init__(message, hint, container_id)


class SandboxInterrupted(KeyboardInterrupt):
    """A sandbox was interrupted (SIGINT), and everything in it has ended. Like :class:`Interrupted`, no MdockError."""

    def __str__(self) -> str:
        return "the sandbox was interrupted, and everything in it has ended"

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [f"KeyboardInterrupt: {self}."]
