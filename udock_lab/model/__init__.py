"""The nouns of mdock: frozen values and nothing else (no input or output, no HTML).

Times are local ISO 8601 strings with seconds; durations are nanoseconds unless a name says otherwise.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from enum import Enum

from udock_lab.errors import ExecFailed, StepFailed, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.findings import (
        CardChoices,
        CardLines,
        CardTable,
        CardText,
        CheckReport,
        DoctorReport,
        Feature,
        Inspection,
        Judgement,
        LessonCard,
        OutputChunk,
        ProcessNode,
        Requirement,
        SandboxProcess,
        SandboxResult,
        Snapshot,
        SystemCall,
    )

__all__ = [
    "CardChoices",
    "CardLines",
    "CardTable",
    "CardText",
    "CheckReport",
    "Container",
    "ContainerSpec",
    "DoctorReport",
    "ExitStatus",
    "Failure",
    "Feature",
    "Image",
    "Inspection",
    "Isolation",
    "Judgement",
    "LessonCard",
    "Limits",
    "OutputChunk",
    "ProcessNode",
    "Record",
    "Requirement",
    "RunResult",
    "SandboxProcess",
    "SandboxResult",
    "Signals",
    "Snapshot",
    "Status",
    "StepReport",
    "SystemCall",
]


_LARGEST_LIMIT = 2**63 - 1  # RLIM_INFINITY is 2**64 - 1; the kernel treats larger values as signed
_DEFAULTS = ("userns", "guard")  # those that are on or off, or None where something else decides
_SWITCHES = ("copy", "detach", "remove", "tty", "interactive")  # the fields of a spec that are on or off


def __getattr__(name: str) -> object:
    """The rest of the model is fetched when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'udock_lab.model' has no attribute {name!r}")
    from udock_lab import findings

    globals()[name] = value = getattr(findings, name)
    return value


class Status(str, Enum):
    """The word in the fourth field of ``containers.db``."""

    RUNNING = "running"
    EXITED = "exited"
    STOPPED = "stopped"
    KILLED = "killed"


class Isolation(str, Enum):
    """How far the container's file system view is shut in."""

    CHROOT = "chroot"
    USERNS = "userns+chroot"
    CHDIR = "chdir"


class Signals(str, Enum):
    """The layer ``signals`` of a container that was started from a notebook: may it signal everybody, kill(-1)?"""

    FILTERED = "filtered"  # no: a seccomp filter refuses it
    UNPRIVILEGED = "filtered, no_new_privs"  # no; without privilege the filter needs no_new_privs as well
    OPEN = "open"  # yes: this machine takes no filter


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitStatus:
    """How a process ended, as the kernel packs it into the 16 bits of a wait status (wait(2)).

    Bits 8-15 hold the exit code, bits 0-6 the signal that ended it, bit 7 says whether core was dumped.
    """

    raw: int

    @property
    def exited(self) -> bool:
        """WIFEXITED: it called exit (or returned from main)."""
        return os.WIFEXITED(self.raw)

    @property
    def signaled(self) -> bool:
        """WIFSIGNALED: a signal ended it."""
        return os.WIFSIGNALED(self.raw)

    @property
    def code(self) -> int | None:
        """WEXITSTATUS, 0-255, or None when a signal ended it."""
        return os.WEXITSTATUS(self.raw) if self.exited else None

    @property
    def signal(self) -> int | None:
        """WTERMSIG, or None when it exited by itself."""
        return os.WTERMSIG(self.raw) if self.signaled else None

    @property
    def signal_name(self) -> str | None:
        """For instance ``SIGKILL``."""
        number = self.signal
        if number is None:
            return None
        try:
            return signal.Signals(number).name
        except ValueError:
            return f"signal {number}"

    @property
    def core_dumped(self) -> bool:
        """WCOREDUMP."""
        return self.signaled and os.WCOREDUMP(self.raw)

    @property
    def shell_code(self) -> int:
        """What a shell's ``$?`` would say: the code, or 128 + the signal's number."""
        code = self.code
        return code if code is not None else 128 + (self.signal or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of ``containers.db``. ``exit_code`` and ``end_time`` are None while it runs."""

    id: str
    pid: int
    image: str
    status: Status
    start_time: str
    end_time: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One line of ``images.db``."""

    name: str
    rootfs: str
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A record beside what the kernel says of its process now.

    ``state`` is what a person should read: the record's status, ``exited (orphaned)`` when the record says running
    and the process is gone, or ``elsewhere (why)`` when its supervisor lives where this process cannot see its
    own: ``elsewhere`` then says why. ``alive`` is True only for what was seen; ``uptime`` is in seconds, else None.
    """

    record: Record
    state: str
    alive: bool
    uptime: float | None = None
    command: str = ""
    isolation: Isolation | None = None
    elsewhere: str = ""

    @property
    def id(self) -> str:
        """The container's id, for instance ``c7``."""
        return self.record.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resource limits (setrlimit(2)). All count per process, as the kernel does."""

    memory: int | None = None  # bytes of address space, RLIMIT_AS
    cpu: int | None = None  # seconds of processor time, RLIMIT_CPU
    files: int | None = None  # open file descriptors, RLIMIT_NOFILE

    def __post_init__(self) -> None:
        """Refuse what is no limit (UsageError); ``memory="64M"`` is a size."""
        values = (self.memory, self.cpu, self.files)
        if all(value is None or (type(value) is int and 0 < value < _LARGEST_LIMIT) for value in values):
            return  # plain already, which needs no import
        from udock_lab.text import arguments

        for name, value, what, example in (
            ("memory", self.memory, "a number of bytes", "memory=64 * 2**20 or memory='64M'"),
            ("cpu", self.cpu, "seconds of processor time", "cpu=2"),
            ("files", self.files, "a number of open files", "files=64"),
        ):
            if name == "memory" and isinstance(value, str):
                value = arguments.size(value)
            if value is not None:
                number = arguments.whole_number(name, value, what, example, most=_LARGEST_LIMIT - 1)
                object.__setattr__(self, name, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What somebody asked for: the words of ``mdock run`` after parsing.

    Lists, mappings, paths and numbers become the words and pairs that they stand for; UsageError for the rest.
    """

    image: str
    argv: tuple[str, ...] = ("/bin/sh",)
    env: tuple[tuple[str, str], ...] = ()
    workdir: str | None = None
    limits: Limits = field(default_factory=Limits)
    userns: bool | None = None  # None: as the home's default has it (``mdock config userns``)
    copy: bool = False
    detach: bool = False
    remove: bool = False
    tty: bool = False
    interactive: bool = False
    guard: bool | None = None  # refuse kill(-1), which would end the notebook; None: where there is a notebook

    def __post_init__(self) -> None:
        """Leave what is plain, which needs no import; convert what is meant, refuse the rest."""
        if self._is_plain():
            return
        from udock_lab.text import arguments

        image = self.image.name if isinstance(self.image, Image) else self.image
        fields: dict[str, object] = {
            "image": arguments.text("image", image, "the name of an image", "demo"),
            "argv": arguments.words("argv", self.argv),
            "env": arguments.variables("env", self.env),
            "workdir": None if self.workdir is None else arguments.path("workdir", self.workdir),
        }
        if not isinstance(self.limits, Limits):
            arguments.refuse("limits", self.limits, "Limits", "For instance limits=Limits(cpu=2).")
        asked = [name for name in _DEFAULTS if getattr(self, name) is not None]
        fields |= {switch: arguments.switch(switch, getattr(self, switch)) for switch in (*_SWITCHES, *asked)}
        for field_name, value in fields.items():
            object.__setattr__(self, field_name, value)
        if not self.argv:
            raise UsageError("argv is empty: there is no program to run.", 'For instance argv=["/bin/sh"].')

    def _is_plain(self) -> bool:
        return (
            type(self.image) is str
            and type(self.argv) is tuple
            and type(self.env) is tuple
            and len(self.argv) > 0
            and all(type(word) is str for word in self.argv)
            and all(type(pair) is tuple and [type(part) for part in pair] == [str, str] for pair in self.env)
            and (self.workdir is None or type(self.workdir) is str)
            and type(self.limits) is Limits
            and all(getattr(self, name) is None or type(getattr(self, name)) is bool for name in _DEFAULTS)
            and all(type(getattr(self, name)) is bool for name in _SWITCHES)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why the program never started: the step, the errno, what is on disk, and what to type next."""

    step: str
    errno: int
    exit_code: int
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one ``mdock run`` was and how it ended.

    ``exit_status`` is None for a detached container and when the program never started because mdock
    failed before fork. ``exit_code`` follows docker: the program's own, 128+n, 125, 126 or 127.
    ``stdout`` and ``stderr`` hold the beginning of the output (bytes; at most ``OUTPUT_KEPT``);
    the whole of it is in ``log_path``. ``before`` and ``after`` are the record after phase 1 and phase 2.
    ``snapshots`` are there where they were asked for: at the gate, and before exec unless a step ended the child.
    ``signals``: what came of the guard around what a notebook starts; None where there is none.
    """

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
