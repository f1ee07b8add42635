"""What the processes of one sandbox say to each other, and who may say what.

::

    client  ── Request, Stop ──────────────────▶ keeper
    client  ◀── Here, Taken, Output, then Report or Failed ── keeper
    runner  ── Hello … Ready, then the words of each process in the sandbox ──▶ keeper
    runner  ◀── Orders, Answered ── keeper

Learner code holds the runner's end as soon as it runs, so whatever a process says counts as said about itself alone
(the kernel names the sender, hearing.py), each decoder here takes only what its sender may say, and the rest is junk.
"""

from __future__ import annotations

from udock_lab.isolation.ask import AnyAsk
from udock_lab.model import ExitStatus, LineBegun, SandboxProcess, SystemCall
from udock_lab.model.jsontext import quoted
from udock_lab.model.plain import tag
from udock_lab.model.value import Value, ValueType
from udock_lab.sandbox.policy import SandboxPolicy
from udock_lab.wire.messages import Message, decode, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Answered",
    "Aside",
    "Asked",
    "Audited",
    "Broken",
    "End",
    "Ended",
    "Execs",
    "Failed",
    "Files",
    "FirstEnded",
    "Forked",
    "Guard",
    "Hello",
    "Here",
    "Inside",
    "Isolated",
    "Kills",
    "Limits",
    "Orders",
    "Output",
    "Ready",
    "Report",
    "Request",
    "Stop",
    "Taken",
    "Unreadable",
    "encode",
    "from_client",
    "from_first_inside",
    "from_keeper",
    "from_process",
    "from_runner",
    "numbers_writer",
    "text_writer",
    "to_runner",
]


# --- between client and keeper


class Limits(Value):
    """Resource limits of each process (setrlimit(2))."""

    address_space: int  # bytes, RLIMIT_AS
    processes: int  # of this user, RLIMIT_NPROC
    file_size: int  # bytes, RLIMIT_FSIZE

    def by_name(self, *, others: int = 0) -> tuple[tuple[str, int], ...]:
        """Return the limits by name, as isolation takes them.

        ``others``: processes that the kernel counts and that are not of this sandbox.
        """
        return (
            ("RLIMIT_AS", self.address_space),
            ("RLIMIT_NPROC", self.processes + others),
            ("RLIMIT_FSIZE", self.file_size),
        )


class Request(Message):
    """One sandbox, as the client wants it. The pickled names travel beside it, in a memfd."""

    source: str
    sources: dict[str, str]  # files that a traceback may want to quote
    scratch: str  # the folder that the keeper makes, and removes in the end
    cwd: str  # where the code works; empty: in the scratch folder
    limits: Limits
    timeout: float  # seconds
    strace: str  # its path; empty: nobody watches
    untraced: str  # and why
    calls: tuple[str, ...]  # the system calls that strace tells of
    lines: bool  # and which line of the source made each
    files: tuple[str, ...]  # of the functions of the notebook in which lines are told, too
    inject: str  # a fault for strace to inject (--inject)
    shut: bool  # the code is not trusted
    together: int  # bytes of memory that all processes may use at once; 0: no bound
    python: str
    package: str  # the folder that holds udock_lab
    path: tuple[str, ...]  # the notebook's sys.path
    env: dict[str, str]


class Stop(Message):
    """An interrupt: end it now."""


class Here(Message):
    """The keeper is there, and waits for a request."""

    pid: int


class Taken(Message):
    """It has the request, and has done nothing about it yet: until then another keeper may be asked."""


class Output(Message):
    """What one process wrote into one stream, ``stdout`` or ``stderr``; its role as far as it is known by now."""

    stream: str
    pid: int
    role: str
    data: bytes


class End(Value):
    """How a process came to the end of the code.

    ``how`` is ``done``, ``exit`` (SystemExit) or ``raised``; ``words`` are the code of that exit or the error;
    ``value`` is the repr of what a function returned.
    """

    how: str
    words: str = ""
    value: str = ""


class Report(Message):
    """How it went; what keeper, runner and strace saw. The fields that a SandboxResult has too mean the same."""

    processes: tuple[SandboxProcess, ...]
    ends: dict[int, End]  # by pid
    collected: frozenset[int]  # pids that somebody in the sandbox waited for
    calls: tuple[SystemCall, ...]
    calls_dropped: int
    begun: tuple[LineBegun, ...]  # lines of the source
    ended_by: str
    broken: str  # why the runner could not prepare
    unreadable: str  # why Python could not read the code
    status: ExitStatus | None  # of the first process
    files: dict[str, bytes]
    missing_isolation: tuple[str, ...]
    identity: str
    guard: str
    untraced: str
    written: int  # bytes of output
    shown: int  # and how many of them were sent
    signals_to_all: int  # calls of kill(-1, ...)
    audits: tuple[str, ...]
    waits: dict[int, str]  # at the time limit: what a process was doing
    seconds: float


class Failed(Message):
    """The keeper itself failed, and what it was."""

    why: str


# --- from the runner, while it prepares: our own code speaks


class Hello(Message):
    """It is there, and wants its orders."""


class Asked(Message):
    """A step of its isolation has a half that the keeper must do; it waits for what comes of that."""

    ask: AnyAsk


class Inside(Message):
    """The first process of the pid namespace is there: it speaks itself."""


class Isolated(Message):
    """The learner's process is there, in namespaces of its own; these steps were refused and done without."""

    refused: tuple[str, ...]


class Aside(Message):
    """Without namespaces it became an unprivileged uid and gave up rights, as far as it could.

    ``kept_to``: files are out of reach (Landlock); ``closed``: a folder of this Python that only root may enter.
    """

    kept_to: bool
    closed: str


class Guard(Message):
    """What holds its signals inside."""

    by: str


class Broken(Message):
    """It cannot prepare."""

    why: str


class Unreadable(Message):
    """Python cannot read the code."""

    why: str


class Ready(Message):
    """The next line that runs is the learner's."""


# --- from the first process inside the pid namespace: our own code, too


class FirstEnded(Message):
    """The learner's process ended; its raw wait status."""

    status: int


class Files(Message):
    """The small files that stand in the scratch folder now."""

    files: dict[str, bytes]


# --- from any process, once the learner's code runs


class Forked(Message):
    """Fork returned here: I am the ``number``-th that the process ``by`` forked in Python, by its own count and pid."""

    by: int
    number: int


class Execs(Message):
    """I am about to become this program."""

    program: str


class Kills(Message):
    """I call kill(-1, ...)."""


class Audited(Message):
    """Python did something that starts processes: the name of its audit event (PEP 578)."""

    event: str


class Ended(Message):
    """I came to the end of the code."""

    how: str
    words: str
    value: str


# --- to the runner


class Orders(Message):
    """What the runner is to do. Beside it travel the pickled names, and the log of lines where it is wanted."""

    source: str
    sources: dict[str, str]
    files: tuple[str, ...]  # in which lines are logged beside the source's
    policy: SandboxPolicy


class Answered(Message):
    """What came of what it asked for: 0, or the errno of the refusal."""

    errno: int


# --- who may say what


_FROM_RUNNER: tuple[type[Hello | Asked | Inside | Isolated | Aside | Guard | Broken | Unreadable | Ready], ...] = (
    Hello,
    Asked,
    Inside,
    Isolated,
    Aside,
    Guard,
    Broken,
    Unreadable,
    Ready,
)


def from_client(data: bytes) -> Request | Stop:
    """Read what the client says."""
    return decode(data, (Request, Stop))


def from_keeper(data: bytes) -> Here | Taken | Output | Report | Failed:
    """Read what the keeper says to the client."""
    return decode(data, (Here, Taken, Output, Report, Failed), most=1 << 30)


def from_runner(
    data: bytes,
) -> Hello | Asked | Inside | Isolated | Aside | Guard | Broken | Unreadable | Ready:
    """Read what the runner says while it prepares."""
    return decode(data, _FROM_RUNNER)


def from_first_inside(data: bytes) -> FirstEnded | Files:
    """Read what the first process inside says."""
    return decode(data, (FirstEnded, Files))


def from_process(data: bytes) -> Forked | Execs | Kills | Audited | Ended:
    """Read what a process says of itself; MalformedError for junk."""
    return decode(data, (Forked, Execs, Kills, Audited, Ended))


def to_runner(data: bytes) -> Orders | Answered:
    """Read what the keeper says to the runner."""
    return decode(data, (Orders, Answered))


# --- writing where names can't be trusted


def numbers_writer(kind: ValueType) -> Callable[..., bytes]:
    """Return what writes a message of whole numbers, given in the order of its fields. TypeError for other fields.

    For places where learner code runs in the same interpreter and may have replaced any name of any module: what this
    needs is bound now, nothing is looked up when it is called. A test holds it against :func:`encode`.
    """
    pattern = _pattern(kind, "int", "%d")
    return lambda *values: (pattern % values).encode()


def text_writer(kind: ValueType) -> Callable[[str], bytes]:
    """Return what writes a message of one text; otherwise as :func:`numbers_writer`."""
    pattern, quote = _pattern(kind, "str", "%s"), quoted
    if len(kind._names) != 1:
        raise TypeError(f"{kind.__name__} has more than one text")
    return lambda text: (pattern % quote(text)).encode()


def _pattern(kind: ValueType, annotation: str, place: str) -> str:
    if others := [name for name, (text, _) in kind._types.items() if text != annotation]:
        raise TypeError(f"{kind.__name__}.{others[0]} is no {annotation}")
    fields = "".join(f',"{name}":{place}' for name in kind._names)
    return f'{{"is":"{tag(kind)}"{fields}}}'
