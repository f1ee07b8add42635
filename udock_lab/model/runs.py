"""What one run was, step by step, and how it ended."""

from __future__ import annotations

from enum import Enum

from udock_lab.errors import ExecFailed, StepFailed
from udock_lab.model.exits import ExitStatus
from udock_lab.model.processes import Snapshot
from udock_lab.model.records import Isolation, Record
from udock_lab.model.value import Value

__all__ = ["Failure", "RunResult", "Signals", "StepReport"]


class Signals(str, Enum):
    """The layer ``signals`` of a container that was started from a notebook: whether it may signal all, kill(-1)."""

    FILTERED = "filtered"  # no: a seccomp filter refuses it
    UNPRIVILEGED = "filtered, no_new_privs"  # no; without privilege the filter needs no_new_privs as well
    OPEN = "open"  # yes: this machine takes no filter


class StepReport(Value):
    """One thing done by parent or child during a run.

    ``start`` and ``end`` are nanoseconds of CLOCK_MONOTONIC; ``errno`` is 0 for success; ``call`` is
    the system call as a person writes it, for instance ``chroot("/.../rootfs")``; ``result`` its outcome
    in words (``= 0``, ``= -1 EPERM``, ``does not return``); ``who`` is ``parent`` or ``child``.
    """

    name: str
    who: str
    call: str
    start: int
    end: int
    errno: int = 0
    result: str = ""


class Failure(Value):
    """Why the program never started: the step, the errno, what is on disk, and what to type next."""

    step: str
    errno: int
    exit_code: int
    message: str
    hint: str = ""


class RunResult(Value):
    """What one ``mdock run`` was and how it ended.

    ``exit_status`` is None for a detached container and when the program never started because mdock
    failed before fork. ``exit_code`` follows docker: the program's own, 128+n, 125, 126 or 127.
    ``stdout`` and ``stderr`` hold the beginning of the output (bytes; at most ``OUTPUT_KEPT``);
    the whole of it is in ``log_path``. ``before`` and ``after`` are the record after phase 1 and phase 2.
    ``snapshots`` are there where they were asked for: at the gate, and before exec unless a step ended the child.
    ``signals``: what came of the guard around what a notebook starts; None where there is none.
    """

    __slots__ = ("_makers",)  # the steps are put into words when somebody looks at them

    id: str
    image: str
    argv: tuple[str, ...]
    pid: int
    exit_code: int | None
    exit_status: ExitStatus | None
    isolation: Isolation
    steps: tuple[StepReport, ...] = ()
    before: Record | None = None
    after: Record | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    log_path: str = ""
    failure: Failure | None = None
    notes: tuple[str, ...] = ()
    detached: bool = False
    snapshots: tuple[Snapshot, ...] = ()
    signals: Signals | None = None

    @property
    def text(self) -> str:
        """Standard output as text; undecodable bytes become U+FFFD."""
        return self.stdout.decode("utf-8", "replace")

    def check(self) -> RunResult:
        """Raise :class:`~udock_lab.errors.StepFailed` if the program never started; else return self."""
        if self.failure is None:
            return self
        f = self.failure
        if f.step == "execve":
            raise ExecFailed(self.argv[0], f.errno, f.exit_code, f.message, f.hint)
        raise StepFailed(f.step, f.errno, f.message, f.hint)
