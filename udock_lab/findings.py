"""What was looked at and found, and what lessons and checks say of it: the nouns beside those of a run.

Part of the model, and imported through it: ``from udock_lab.model import SandboxResult``. They stand in a file of
their own because making a dataclass costs half a millisecond, and ``mdock run`` needs none of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from udock_lab.model import ExitStatus

__all__ = [
    "CardChoices",
    "CardLines",
    "CardTable",
    "CardText",
    "CheckReport",
    "DoctorReport",
    "Feature",
    "Inspection",
    "Judgement",
    "LessonCard",
    "OutputChunk",
    "ProcessNode",
    "Requirement",
    "SandboxProcess",
    "SandboxResult",
    "Snapshot",
    "SystemCall",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A process as /proc showed it at one moment (proc(5)); what the machine would not tell is empty.

    ``moment`` is ``at the gate`` or ``before exec``. ``files`` are (descriptor, target), ``limits`` (name, soft,
    hard) in the kernel's words, ``environment`` names only; ``uids`` and ``gids`` are real, effective, saved and
    file system; ``capabilities`` the bits of the effective set. ``next_environment``: the names that execve brings.
    """

    moment: str
    pid: int
    parent: int
    group: int
    session: int
    root: str
    cwd: str
    files: tuple[tuple[int, str], ...] = ()
    limits: tuple[tuple[str, str, str], ...] = ()
    environment: tuple[str, ...] = ()
    uids: tuple[int, ...] = ()
    gids: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    capabilities: int = 0
    user_namespace: str = ""
    next_environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """Everything mdock knows of one container: record, spec, identity, steps (JSON-like values)."""

    kind: str  # "container" or "image"
    data: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessNode:
    """A process and everything below it, as it was at one moment.

    ``state`` is the letter of proc(5) (R, S, D, T, Z, ...); ``start_ticks`` are clock ticks since boot. ``role`` is
    its name in this course, for instance ``launcher`` or ``container c1``; empty where nobody named it.
    """

    pid: int
    name: str
    state: str
    start_ticks: int
    command: tuple[str, ...] = ()
    children: tuple[ProcessNode, ...] = ()
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One thing tried for real. ``remedy`` says what to do where ``works`` is False."""

    name: str
    works: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorReport:
    """Which rung of the ladder (A, B, C, D, E) this machine stands on, each feature tried, and the home's defaults.

    ``settings``: the name of each setting and whether it is on (``mdock config``); none without a home.
    """

    rung: str
    summary: str
    features: tuple[Feature, ...]
    settings: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCall:
    """One system call as strace saw it (strace(1)).

    ``start`` and ``end`` are nanoseconds, since the epoch or since a moment that the owner names. ``result`` is
    what stands behind ``=``; ``errno`` is a name such as ``EPERM``, empty for success.
    """

    pid: int
    name: str
    arguments: str
    result: str
    start: int
    end: int
    errno: str = ""

    @property
    def value(self) -> int | None:
        """The number that came back, None where there is none (exit_group) or the call failed."""
        word = self.result.split(maxsplit=1)[0]
        try:
            return None if self.errno else int(word, 0)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.name}({self.arguments}) = {self.result}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxProcess:
    """A process that ran in a sandbox. ``role`` is ``parent``, ``child 1``, ``child 1.1`` (its child), ...

    ``parent`` is the pid of the process that forked it, 0 where nobody saw that. ``status`` is None where
    somebody else collected it and nobody watched. ``program`` is the last program it became, empty for Python.
    ``ran_on`` says that it came to the end of the learner's code; ``leftover`` that it had to be killed.
    """

    pid: int
    parent: int
    role: str
    status: ExitStatus | None = None
    program: str = ""
    ran_on: bool = False
    leftover: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputChunk:
    """What one process wrote in one go, in order of arrival; ``stream`` is ``stdout`` or ``stderr``."""

    pid: int
    role: str
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxResult:
    """What a sandbox run was: who ran, what they wrote, which calls they made, and one sentence on it.

    ``exit_status`` is that of the first process. ``value`` is what a function returned (plain data: numbers,
    text, lists, dicts), or its ``repr``. ``calls`` have times in nanoseconds since the learner's code began.
    ``files`` holds what the scratch folder contained at the end (name to bytes; small files only).
    ``identity`` is ``user namespace``, ``user N`` (nobody else has that id) or ``plain``; ``guard`` says what holds
    signals to the outside off: ``landlock``, ``seccomp``, ``user`` or ``none``. ``untraced`` says why there are no
    calls; empty when there are.
    ``missing_walls`` names walls that were wanted around untrusted code and were refused. ``audits`` names what
    Python itself said it did (audit events, PEP 578); advisory, since the code could silence it. ``ended_by`` is
    ``end``, ``timeout``, ``processes`` (too many), ``memory`` (too much in all) or ``lost``.
    """

    processes: tuple[SandboxProcess, ...]
    output: tuple[OutputChunk, ...] = ()
    calls: tuple[SystemCall, ...] = ()
    verdict: str = ""
    exit_status: ExitStatus | None = None
    value: object = None
    files: dict[str, bytes] = field(default_factory=dict)
    identity: str = "plain"
    guard: str = "none"
    untraced: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    shows_calls: bool = False
    audits: tuple[str, ...] = ()
    missing_walls: tuple[str, ...] = ()
    ended_by: str = "end"

    @property
    def stdout(self) -> str:
        """Everything written to standard output, in order of arrival."""
        return "".join(chunk.text for chunk in self.output if chunk.stream == "stdout")

    @property
    def stderr(self) -> str:
        """Everything written to standard error."""
        return "".join(chunk.text for chunk in self.output if chunk.stream == "stderr")

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of standard output."""
        return tuple(self.stdout.splitlines())

    @property
    def parent(self) -> SandboxProcess:
        """The first process."""
        return self.processes[0]

    @property
    def children(self) -> tuple[SandboxProcess, ...]:
        """All processes but the first, in the order of their making."""
        return self.processes[1:]

    def process(self, role: str) -> SandboxProcess:
        """Return the process of that role; raise KeyError, with the roles there are."""
        for process in self.processes:
            if process.role == role:
                return process
        raise KeyError(f"no process {role!r}; there are: {', '.join(p.role for p in self.processes)}")

    def calls_of(self, role: str) -> tuple[SystemCall, ...]:
        """Return the calls of one process."""
        pid = self.process(role).pid
        return tuple(call for call in self.calls if call.pid == pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """A paragraph on a lesson's card; words between backticks are code. ``kind``: empty, ``note`` or ``hint``.

    ``leads_to`` is the path of a file beside the notebook, where there is one: HTML makes the paragraph a link.
    """

    text: str
    kind: str = ""
    leads_to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChoices:
    """The answers of a question; ``chosen`` is the one that was given, empty before."""

    labels: tuple[str, ...]
    chosen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLines:
    """Lines of a program or of output, shown as they are under ``title``; ``numbers`` stand before them."""

    title: str
    lines: tuple[str, ...]
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTable:
    """A table; the first cell of a row is its header."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonCard:
    """What a lesson says at one place: a headline, then parts in order, then a result that it is about.

    ``label`` is what the card is (``prediction``, ``exit ticket``); ``mood`` colours the sign before the
    headline and says nothing that the headline does not say: empty, ``good``, ``some`` or ``bad``.
    """

    label: str
    headline: str
    mood: str = ""
    parts: tuple[CardText | CardChoices | CardLines | CardTable, ...] = ()
    result: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One thing an exercise asks for. Its ``name`` is public, also of a hidden one; the values it uses are not.

    ``lesson`` says where to read: a lesson's slug and a section's heading. ``hints`` go from a nudge to a plan.
    """

    key: str
    name: str
    points: float
    lesson: str
    hints: tuple[str, ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a check found for one requirement.

    ``passed`` is None where it was not judged, and ``why`` says it in words: ``refused`` where this machine refuses
    what the judgement needs, else because an earlier requirement does not hold. ``by`` names the witness:
    ``kernel`` (system calls, wait statuses, /proc) or ``effects`` (files and values alone).
    """

    requirement: Requirement
    passed: bool | None
    expected: str = ""
    seen: str = ""
    looks_like: str = ""
    why: str = ""
    refused: bool = False
    by: str = "kernel"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """One check of one exercise. Requirements that this machine cannot judge count neither way."""

    slug: str
    title: str
    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(j.requirement.points for j in self.judgements if j.passed)

    @property
    def out_of(self) -> float:
        """Points that there are, those of requirements that could not be judged here included."""
        return sum(j.requirement.points for j in self.judgements)

    @property
    def refused(self) -> float:
        """Points of requirements that this machine cannot judge."""
        return sum(j.requirement.points for j in self.judgements if j.refused)

    @property
    def first_failure(self) -> Judgement | None:
        """The first requirement that does not hold."""
        return next((j for j in self.judgements if j.passed is False), None)
