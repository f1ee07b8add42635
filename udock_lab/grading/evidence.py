"""Questions that judges ask of a sandbox run, answered from what the kernel saw."""

from __future__ import annotations

import json
import re

from udock_lab.grading.inside import CELLS, SOLUTION
from udock_lab.model import SandboxProcess, SandboxResult, SystemCall
from udock_lab.model.value import Value
from udock_lab.sandbox.strace_markers import AUDITED

__all__ = [
    "FORKS",
    "LIBRARY_EVENTS",
    "Said",
    "argv_of",
    "asked_at",
    "ended",
    "execs",
    "forks",
    "heard",
    "library_calls",
    "library_forks",
    "path_of",
    "raised",
    "raised_where",
    "seen_value",
    "variables_of",
    "waits",
    "worded",
]

FORKS = ("clone", "clone3", "fork", "vfork")
# Functions that fork or exec for you, by their audit events (PEP 578) or as the runner names them.
LIBRARY_EVENTS = AUDITED | {"multiprocessing", "_posixsubprocess"}
_OWN_LINE = re.compile(rf'File "(?:{re.escape(SOLUTION)}|[^"\n]*(?:{"|".join(CELLS)})[^"\n]*)", line (\d+).*\n *(.+)')
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def forks(result: SandboxResult, pid: int | None = None) -> list[SystemCall]:
    """Return the calls that made a process (not a thread), of one process or of all."""
    return [
        call
        for call in result.calls
        if call.name in FORKS and call.value and "CLONE_THREAD" not in call.arguments and pid in (None, call.pid)
    ]


def asked_at(result: SandboxResult, pid: int | None = None) -> int | None:
    """Return the place in the record at which a referee began to ask a process (of this pid, or any): kill(pid, 0).

    None where the record has no such call. An unprivileged strace sees a referee's numbers only: it is out of reach.
    """
    asked = re.compile(rf"{pid or '[0-9]+'}, 0")
    own = result.parent.pid
    marks = (at for at, call in enumerate(result.calls) if call.name == "kill" and call.pid == own)
    return next((at for at in marks if asked.fullmatch(result.calls[at].arguments)), None)


def execs(result: SandboxResult, pid: int | None = None) -> list[SystemCall]:
    """Return the execve calls, failed ones too."""
    return [call for call in result.calls if call.name in ("execve", "execveat") and pid in (None, call.pid)]


def waits(result: SandboxResult, pid: int | None = None) -> list[SystemCall]:
    """Return the wait4 and waitid calls."""
    return [call for call in result.calls if call.name in ("wait4", "waitid") and pid in (None, call.pid)]


def argv_of(call: SystemCall) -> list[str]:
    """Return the words of an execve; empty when the list was too long to print.

    Bytes that are no UTF-8 are as :func:`os.fsdecode` hands them over.
    """
    inside = call.arguments.partition("[")[2].rpartition("]")[0]
    return [_unescaped(word) for word in _STRING.findall(inside)]


def path_of(call: SystemCall) -> str:
    """Return the first path that a call was given."""
    found = _STRING.search(call.arguments)
    return _unescaped(found[1]) if found else ""


def variables_of(call: SystemCall) -> int | None:
    """Return how many variables an execve handed on; None where strace does not say."""
    count = call.arguments.rpartition("/* ")[2].partition(" var")[0]
    return int(count) if count.isdecimal() and len(count) < 10 else None


def _unescaped(word: str) -> str:
    return word.encode().decode("unicode_escape").encode("latin-1", "replace").decode("utf-8", "surrogateescape")


def library_calls(result: SandboxResult) -> list[str]:
    """Return functions that do the forking for you, as Python's own audit events name them."""
    return sorted({event for event in result.audits if event in LIBRARY_EVENTS})


def library_forks(result: SandboxResult, pid: int) -> list[str]:
    """Return calls that let parent and child share their memory until exec, as libraries do it and os.fork never does.

    The kernel's word, where Python's own audit events were silenced (vfork(2), posix_spawn(3)).
    """
    return [f"{call.name} (as in posix_spawn)" for call in forks(result, pid) if _shares_memory(call)]


def _shares_memory(call: SystemCall) -> bool:
    return call.name == "vfork" or "CLONE_VFORK" in call.arguments


def ended(process: SandboxProcess) -> str:
    """Return ``code 42`` or ``signal 9``, where a parent has seen it."""
    if process.status is None:
        return "unknown"
    return f"signal {process.status.signal}" if process.status.signaled else f"code {process.status.code}"


def raised(result: SandboxResult) -> str:
    """Return the error that ended the scenario, or nothing."""
    last = [line for line in result.stderr.splitlines() if line and not line.startswith((" ", "Traceback"))]
    return last[-1] if last and result.exit_status and result.exit_status.raw else ""


def raised_where(result: SandboxResult) -> str:
    """Return the error that ended the scene, with the learner's own line, if one is in the traceback: the last."""
    lines = _OWN_LINE.findall(result.stderr)
    return f"{raised(result)} (your line {lines[-1][0]}: {lines[-1][1]})" if lines else raised(result)


def seen_value(result: SandboxResult) -> object:
    """Return what the scenario handed back; tuples come back as lists."""
    return json.loads(json.dumps(result.value, default=repr)) if result.value is not None else None


class Said(Value):
    """What a learner's function returned or raised, as inside.said told it: the learner's word.

    ``how`` is ``returned`` or ``raised``. ``kind`` is the type's name, ``mro`` those of its classes; ``shown`` the
    value as the learner would write it, or the error's text. ``plain`` is the value in Python's own types
    (``is_plain``: whether it could be told so). ``line`` and ``code``: where in the learner's code an error arose, 0
    if nowhere in it.
    """

    how: str
    kind: str
    mro: tuple[str, ...] = ()
    shown: str = ""
    plain: object = None
    is_plain: bool = False
    line: int = 0
    code: str = ""
    errno: int | None = None

    @property
    def returned(self) -> bool:
        """Whether the function came back at all."""
        return self.how == "returned"

    def is_a(self, name: str) -> bool:
        """Return whether the value, or the error, is one of this class or of one derived from it."""
        return name in self.mro


def heard(told: object) -> Said | None:
    """Read what inside.said told; None for anything else, which only a scene that did not end or a forger gives."""
    if not isinstance(told, dict) or told.get("how") not in ("returned", "raised"):
        return None
    mro, plain, line, errno = (told.get(name) for name in ("mro", "plain", "line", "errno"))
    return Said(
        how=told["how"],
        kind=str(told.get("kind", "")),
        mro=tuple(map(str, mro)) if isinstance(mro, list) else (),
        shown=str(told.get("shown", "")),
        plain=plain[0] if isinstance(plain, list) and plain else None,
        is_plain=isinstance(plain, list) and len(plain) == 1,
        line=line if isinstance(line, int) else 0,
        code=str(told.get("code", "")),
        errno=errno if isinstance(errno, int) else None,
    )


def worded(said: Said, name: str) -> str:
    """Say it in a report: ``launch returned 42``, ``launch raised NameError: ... (your line 7: ...)``."""
    if said.returned:
        return f"{name} returned {said.shown}"
    text = f": {said.shown}" if said.shown else ""
    where = f" (your line {said.line}{f': {said.code}' if said.code else ''})" if said.line else ""
    return f"{name} raised {said.kind}{text}{where}"
