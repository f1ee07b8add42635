"""What callers and supervisors say to each other.

::

    to a supervisor                          RunRequest, ExecRequest; to a launcher also ProbeRequest, SpawnRequest
    from it, on the socket of one run        Taken, of a launcher; then Refused; or Started, Output, Ended
    to it, on that socket, while it runs     Signal, WindowSize

They travel as marshal writes them: both ends are the same interpreter, and it has nothing to import for that. Nobody
else holds these sockets, so what comes is held against the names of its fields, and not against their types. A first
byte tells output, which goes as it is, and Taken, which is that byte alone, from everything else.
Descriptors travel beside: with a request the run's own socket, for ``exec`` a pidfd of the container's first process,
and the standard input; with the other two requests one that the answer goes to.
"""

from __future__ import annotations

from udock_lab.errors import Interrupted, MdockError
from udock_lab.model.plain import handed, revive_handed, tag
from udock_lab.model.processes import Snapshot
from udock_lab.model.records import Record
from udock_lab.model.specs import ContainerSpec
from udock_lab.runtime.child.plan import Plan, environment
from udock_lab.wire.framing import pack, unpack
from udock_lab.wire.messages import Message

__all__ = [
    "STDERR",
    "STDOUT",
    "TAKEN",
    "Ended",
    "Event",
    "ExecRequest",
    "Launch",
    "News",
    "Output",
    "ProbeRequest",
    "Refused",
    "Request",
    "RunRequest",
    "Signal",
    "SpawnRequest",
    "Started",
    "Taken",
    "WindowSize",
    "Word",
    "encode",
    "from_caller",
    "from_supervisor",
    "output",
    "refusal",
    "request_of",
    "to_caller",
]

STDOUT, STDERR = b"o", b"e"
TAKEN = b"t"  # the whole of that message
_WORD = b"j"
_STREAMS = {STDOUT: "stdout", STDERR: "stderr"}


class Launch(Message):
    """What ``run`` and ``exec`` have in common: what the child is to do, and how its caller follows it.

    ``steps`` and ``candidates`` are the child's plan; the rest of it stands in the spec, and is said once.
    ``before_gate``: how many of the steps come before the start gate. ``one_pipe``: stderr goes where stdout goes.
    ``announce``: the caller waits for Started. ``fresh``: fork within this run. ``snapshots``: look at the child where
    it holds. ``size``: rows and columns.
    """

    home: str
    spec: ContainerSpec
    rootfs: str
    steps: tuple[tuple[str | int, ...], ...]
    candidates: tuple[str, ...]
    before_gate: int = 0
    one_pipe: bool = False
    fresh: bool = False
    announce: bool = False
    snapshots: bool = False
    size: tuple[int, int] | None = None

    @property
    def plan(self) -> bytes:
        """What the child is told, packed for its start gate."""
        spec = self.spec
        env = environment(spec.env)
        plan = Plan(self.steps, spec.argv, env, self.rootfs, self.candidates, self.one_pipe, self.before_gate)
        return plan.pack()


class RunRequest(Launch):
    """A new container. ``private``: the folder that is its own alone.

    ``claim``: what the caller has acquired for it (resources.py), which becomes the container's with its record; empty
    where that is nothing.
    """

    private: str | None = None
    claim: str = ""


class ExecRequest(Launch):
    """One more program in a container that runs. Which process that is, says the pidfd that comes along."""

    container_id: str


class ProbeRequest(Message):
    """Try what this machine permits: ``everything``, or ``userns`` alone."""

    what: str


class SpawnRequest(Message):
    """Start a program of ours in a session of its own."""

    argv: tuple[str, ...]


class Taken(Message):
    """A launcher has the request, and has done nothing about it yet.

    Who lost a launcher before it said so asks the next one; afterwards a program would run twice.
    """


class Refused(Message):
    """Nothing was started: the name of the exception that the caller is to raise, and its words.

    ``signal``: the one by which the caller called it off; 0 where that is not why.
    """

    error: str
    message: str
    hint: str
    signal: int = 0


class News(Message):
    """Whose news it is, what the child has reported, what went wrong on the way.

    ``reports``: number of the step, errno, start and end in nanoseconds.
    """

    id: str
    pid: int
    reports: tuple[tuple[int, int, int, int], ...] = ()
    notes: tuple[str, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()


class Started(News):
    """The child has become the program, or has ended before."""


class Ended(News):
    """All is over: the raw wait status, the parent's own steps (name, errno, start, end), the record's two phases.

    ``fork``: its start and end, and the pid that it returned.
    """

    status: int
    parent_steps: tuple[tuple[str, int, int, int], ...] = ()
    fork: tuple[int, int, int] | None = None
    before: Record | None = None
    after: Record | None = None


class Output(Message):
    """What the program wrote; ``stream`` is ``stdout`` or ``stderr``."""

    stream: str
    data: bytes


class Signal(Message):
    """The caller passes on a signal."""

    number: int


class WindowSize(Message):
    """The caller's terminal has another size."""

    rows: int
    columns: int


Request = RunRequest | ExecRequest | ProbeRequest | SpawnRequest
Word = Signal | WindowSize
Event = Refused | Started | Ended
_REQUESTS: dict[str, type[Request]] = {tag(one): one for one in (RunRequest, ExecRequest, ProbeRequest, SpawnRequest)}
_WORDS: dict[str, type[Word]] = {tag(one): one for one in (Signal, WindowSize)}
_NEWS: dict[str, type[Event]] = {tag(one): one for one in (Ended, Started, Refused)}


def encode(message: Request | Word | Event) -> bytes:
    """Return a message as bytes."""
    return pack(handed(message))


def request_of(data: bytes) -> Request:
    """Return what a launcher is asked for; MalformedError."""
    return revive_handed(_REQUESTS, unpack(data))


def from_caller(data: bytes) -> Word:
    """Return what a caller said while it follows its run; MalformedError."""
    return revive_handed(_WORDS, unpack(data))


def to_caller(message: Event) -> bytes:
    """Return a message of a supervisor as bytes."""
    return _WORD + encode(message)


def output(stream: bytes, data: bytes) -> bytes:
    """Return output as bytes, unchanged behind its first one."""
    return stream + data


def from_supervisor(data: bytes) -> Event | Output | Taken:
    """Return what a supervisor said; MalformedError."""
    if (kind := data[:1]) in _STREAMS:
        return Output(stream=_STREAMS[kind], data=data[1:])
    if data == TAKEN:
        return Taken()
    return revive_handed(_NEWS, unpack(data[1:]))


def refusal(error: MdockError | Interrupted) -> Refused:
    """Say why nothing was started."""
    number = error.signal if isinstance(error, Interrupted) else 0
    return Refused(error=type(error).__name__, message=error.message, hint=error.hint, signal=number)
