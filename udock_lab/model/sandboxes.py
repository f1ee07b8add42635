"""What ran in a sandbox, and the system calls that it made."""

from __future__ import annotations

from udock_lab.model.exits import ExitStatus
from udock_lab.model.value import Value, field

__all__ = ["LineBegun", "NotebookCell", "OutputChunk", "SandboxProcess", "SandboxResult", "SystemCall"]


class SystemCall(Value):
    """One system call as strace saw it (strace(1)).

    ``start`` and ``end`` are nanoseconds, since the epoch or since a moment that the owner names. ``result`` is
    what stands behind ``=``; ``errno`` is a name such as ``EPERM``, empty for success. ``line`` is the line of the
    learner's code that made it, 0 where that is not known or it was none of theirs. ``cell``: 0 if that line is one of
    the source that ran, else the number of the notebook's cell (:attr:`SandboxResult.cells`, from 1 on) that it is in.
    """

    pid: int
    name: str
    arguments: str
    result: str
    start: int
    end: int
    errno: str = ""
    line: int = 0
    cell: int = 0

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


class LineBegun(Value):
    """A process began a line of the learner's code; 0: it has left that code. ``cell`` as in the calls.

    ``time`` as in the calls beside it. ``variables`` are those that have changed since the process's last one, as name
    and repr (empty: gone). ``held`` is what a stream was given and has not written yet, by the stream's name, as a
    repr, where that has changed. ``last``: it ran so many lines that it was not watched any longer.
    """

    pid: int
    time: int
    line: int
    variables: tuple[tuple[str, str], ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    last: bool = False
    cell: int = 0


class NotebookCell(Value):
    """The text of a cell of the notebook in which a function is that the code has called, by its ``name`` there."""

    name: str
    text: str


class SandboxProcess(Value):
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


class OutputChunk(Value):
    """What one process wrote in one go, in order of arrival; ``stream`` is ``stdout`` or ``stderr``."""

    pid: int
    role: str
    stream: str
    text: str


class SandboxResult(Value):
    """What a sandbox run was: who ran, what they wrote, which calls they made, and one sentence on it.

    ``exit_status`` is that of the first process. ``value`` is what a function returned (plain data: numbers,
    text, lists, dicts), or its ``repr``. ``calls`` have times in nanoseconds since the learner's code began.
    ``files`` holds what the scratch folder contained at the end (name to bytes; small files only).
    ``identity`` is ``user namespace``, ``user N`` (nobody else has that id) or ``plain``; ``guard`` says what holds
    signals to the outside off: ``landlock``, ``seccomp``, ``user`` or ``none``. ``untraced`` says why there are no
    calls; empty when there are.
    ``missing_isolation`` names what was wanted around untrusted code and was refused. ``audits`` names what
    Python itself said it did (audit events, PEP 578); advisory, since the code could silence it. ``ended_by`` is
    ``end``, ``timeout``, ``processes`` (too many), ``memory`` (too much in all) or ``lost``. ``source`` and ``begun``
    are the code and the lines that were begun, where somebody wanted to step through it.
    """

    processes: tuple[SandboxProcess, ...]
    output: tuple[OutputChunk, ...] = ()
    calls: tuple[SystemCall, ...] = ()
    verdict: str = ""
    exit_status: ExitStatus | None = None
    value: object = None
    files: dict[str, bytes] = field(factory=dict)
    identity: str = "plain"
    guard: str = "none"
    untraced: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    shows_calls: bool = False
    audits: tuple[str, ...] = ()
    missing_isolation: tuple[str, ...] = ()
    ended_by: str = "end"
    source: str = ""
    begun: tuple[LineBegun, ...] = ()
    cells: tuple[NotebookCell, ...] = ()

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
        """Return the process of that role; KeyError, with the roles there are."""
        for process in self.processes:
            if process.role == role:
                return process
        raise KeyError(f"no process {role!r}; there are: {', '.join(p.role for p in self.processes)}")

    def calls_of(self, role: str) -> tuple[SystemCall, ...]:
        """Return the calls of one process."""
        pid = self.process(role).pid
        return tuple(call for call in self.calls if call.pid == pid)
