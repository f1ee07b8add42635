"""Questions that judges ask of a sandbox run, answered from what the kernel saw."""

from __future__ import annotations

import json
import re

from udock_lab.model import SandboxProcess, SandboxResult, SystemCall
from udock_lab.sandbox.strace_markers import AUDITED

__all__ = [
    "FORKS",
    "LIBRARY_EVENTS",
    "argv_of",
    "ended",
    "execs",
    "forks",
    "library_calls",
    "library_forks",
    "raised",
    "seen_value",
    "waits",
]

FORKS = ("clone", "clone3", "fork", "vfork")
# Functions that fork or exec for you, by their audit events (PEP 578) or as the runner names them.
LIBRARY_EVENTS = AUDITED | {"multiprocessing", "_posixsubprocess"}
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def forks(result: SandboxResult, pid: int | None = None) -> list[SystemCall]:
    """Return the calls that made a process (not a thread), of one process or of all."""
    return [
        call
        for call in result.calls
        if call.name in FORKS and call.value and "CLONE_THREAD" not in call.arguments and pid in (None, call.pid)
    ]


def execs(result: SandboxResult, pid: int | None = None) -> list[SystemCall]:
    """Return the execve calls, failed ones too."""
    return [call for call in result.calls if call.name in ("execve", "execveat") and pid in (None, call.pid)]


def waits(result: SandboxResult, pid: int | None = None) -> list[SystemCall]:
    """Return the wait4 and waitid calls."""
    return [call for call in result.calls if call.name in ("wait4", "waitid") and pid in (None, call.pid)]


def argv_of(call: SystemCall) -> list[str]:
    """Return the words of an execve as strace printed them; empty when the list was too long to print."""
    inside = call.arguments.partition("[")[2].rpartition("]")[0]
    return [_unescaped(word) for word in _STRING.findall(inside)]


def _unescaped(word: str) -> str:
    return word.encode().decode("unicode_escape").encode("latin-1", "replace").decode("utf-8", "replace")


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


def seen_value(result: SandboxResult) -> object:
    """Return what the scenario handed back; tuples come back as lists."""
    return json.loads(json.dumps(result.value, default=repr)) if result.value is not None else None
