"""What callers and supervisors say to each other.

::

    to a supervisor                          RunRequest, ExecRequest; to a launcher also ProbeRequest, SpawnRequest
    from it, on the socket of one run        Refused; or Started, Output, Ended
    to it, on that socket, while it runs     Signal, WindowSize

A first byte tells output, which goes as it is, from everything else. Descriptors travel beside: with a request the
run's own socket and its standard input, with the other two requests one that the answer goes to.
"""

from __future__ import annotations

from udock_lab.errors import Interrupted, MdockError
from udock_lab.model.processes import Snapshot
from udock_lab.model.records import Record
from udock_lab.model.specs import ContainerSpec
from udock_lab.runtime.launch import Plan
from udock_lab.wire.messages import Message, decode, encode

__all__ = [
    "STDERR",
    "STDOUT",
    "Ended",
    "ExecRequest",
    "Launch",
    "News",
    "Output",
    "ProbeRequest",
    "Refused",
    "RunRequest",
    "Signal",
    "SpawnRequest",
    "Started",
    "WindowSize",
    "from_caller",
    "from_supervisor",
    "output",
    "refusal",
    "request_of",
    "to_caller",
]

STDOUT, STDERR = b"o", b"e"
_WORD = b"j"
_STREAMS = {STDOUT: "stdout", STDERR: "stderr"}


class Launch(Message):
    """What ``run`` and ``exec`` have in common: the child's plan, and how its caller follows it.

    ``described`` says each of the ``steps`` as a person writes it. ``announce``: the caller waits for Started.
    ``fresh``: fork within this run. ``snapshots``: look at the child where it holds. ``size``: rows and columns.
    """

    home: str
    spec: ContainerSpec
    steps: tuple[tuple[object, ...], ...]
    described: tuple[str, ...]
    env: dict[str, str]
    rootfs: str
    candidates: tuple[str, ...]
    one_pipe: bool = False
    fresh: bool = False
    announce: bool = False
    snapshots: bool = False
    size: tuple[int, int] | None = None

    @property
    def plan(self) -> Plan:
        """What goes to the child."""
        return Plan(self.steps, self.spec.argv, self.env, self.rootfs, self.candidates, self.one_pipe)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each step."""
        return tuple([str(words[0]) for words in self.steps])


class RunRequest(Launch):
    """A new container. ``private``: the folder that goes with it when it is removed."""

    private: str | None = None


class ExecRequest(Launch):
    """One more program in a container that runs, whose first process is ``container_pid``."""

    container_id: str
    container_pid: int


class ProbeRequest(Message):
    """Try what this machine permits: ``everything``, or ``userns`` alone."""

    what: str


class SpawnRequest(Message):
    """Start a program of ours in a session of its own."""

    argv: tuple[str, ...]


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
    """All is over: the raw wait status, the parent's own steps (name, errno, start, end), the record's two phases."""

    status: int
    parent_steps: tuple[tuple[str, int, int, int], ...] = ()
    fork: tuple[int, int] | None = None
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


def request_of(data: bytes) -> RunRequest | ExecRequest | ProbeRequest | SpawnRequest:
    """Return what a launcher is asked for; MalformedError."""
    return decode(data, (RunRequest, ExecRequest, ProbeRequest, SpawnRequest))


def from_caller(data: bytes) -> Signal | WindowSize:
    """Return what a caller said while it follows its run; MalformedError."""
    return decode(data, (Signal, WindowSize))


def to_caller(message: Refused | Started | Ended) -> bytes:
    """Return a message of a supervisor as bytes."""
    return _WORD + encode(message)


def output(stream: bytes, data: bytes) -> bytes:
    """Return output as bytes, unchanged behind its first one."""
    return stream + data


def from_supervisor(data: bytes) -> Refused | Started | Ended | Output:
    """Return what a supervisor said; MalformedError."""
    if (kind := data[:1]) in _STREAMS:
        return Output(stream=_STREAMS[kind], data=data[1:])
    return decode(data[1:], (Ended, Started, Refused))


def refusal(error: MdockError | Interrupted) -> Refused:
    """Say why nothing was started."""
    number = error.signal if isinstance(error, Interrupted) else 0
    return Refused(error=type(error).__name__, message=error.message, hint=error.hint, signal=number)
