"""What a search did to the machine: by what strace saw; where it is refused, by a listener's stops and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udock_lab.grading import evidence as ev
from udock_lab.grading.evidence import Said
from udock_lab.grading.exercises.m2_5_image_lookup.answers import content, words_of
from udock_lab.linux.stepping import PROGRAM_CALLS
from udock_lab.model import SandboxResult, SystemCall

__all__ = ["NOBODY_SEES", "opened", "trouble_of"]

NOBODY_SEES = (
    "not judged here: this machine permits neither strace nor a seccomp listener, and without them nobody sees"
    " whether a search starts a program or opens a file for writing"
)
_CHANGES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND")
_CHANGING = (
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat", "mkdir",
    "mkdirat", "ftruncate", "creat",
)  # fmt: skip
_HELP = "a shell's tools for a search. They cost two processes, and grep takes the name for a pattern."
_PROCESS = "another process for the search. A loop over the lines needs none."
_LIBRARY = (
    "ctypes.util.find_library taken for a mere look: it starts programs (ldconfig, a compiler). ctypes.CDLL(None) has"
    " the C library already."
)
_WRITES = "a search that changes something. Whoever may only read the database could not search."
_LOCKS = (
    "a file opened to be changed, for a lock perhaps. Whoever may only read the database could not search; flock with"
    " LOCK_SH is content with a file that is opened to be read."
)
_MENDS = "a search that mends or marks what it reads. Damaged lines are somebody's."
_LEAVES = "a search that leaves something behind."
_OPEN = (
    "a file taken for something that closes itself. A descriptor from os.open stays open, a kept file too, and a"
    " return inside the loop passes a close that stands below it."
)
Trouble = tuple[str, str]  # what was seen, and what it looks like


def trouble_of(
    result: SandboxResult, told: Mapping[str, object], answers: Sequence[Said], path: str, stops: object
) -> Trouble | None:
    """Return what speaks against a search that only reads; None where nothing does."""
    calls = _of_the_searches(result)
    trouble = _helper(result, calls) or _writer(calls)
    if not trouble and isinstance(stops, list):
        trouble = _stopped([str(name) for name in stops])
    if trouble:
        return trouble
    first, *closed = answers
    if content(first) == path and (not closed or content(closed[0]) != path):
        said = closed[0] if closed else first
        return f"from a table that may only be read: {words_of(said)}", _WRITES if said.is_a("PermissionError") else ""
    trouble = _left(told)
    if not trouble and content(first) == path and not result.untraced and not _openings(calls):
        return "the database was not opened", ""
    return trouble


def opened(result: SandboxResult) -> str:
    """Return the call that opened the table to be read; empty where nobody saw it."""
    return next(map(str, _openings(_of_the_searches(result))), "")


def _of_the_searches(result: SandboxResult) -> list[SystemCall]:
    """Return the calls from the moment on at which the first search was asked for, those of the referee left out."""
    first = ev.asked_at(result)
    return [call for call in result.calls[first:] if call.pid != result.parent.pid] if first is not None else []


def _openings(calls: list[SystemCall]) -> list[SystemCall]:
    return [
        call for call in calls if call.name in ("open", "openat") and "images.db" in call.arguments and not call.errno
    ]


def _helper(result: SandboxResult, calls: list[SystemCall]) -> Trouble | None:
    """Return another program, or another process of Python's, that did the search."""
    execs = [call for call in calls if call.name in ("execve", "execveat") and not call.errno]
    if execs:
        words = ev.argv_of(execs[0])
        seen = f"execve of {' '.join(words)}" if words else str(execs[0])
        tool = words[0].rpartition("/")[2] if words else ""
        return seen, _LIBRARY if tool in ("ldconfig", "gcc", "cc", "ld", "objdump") else _HELP
    if len(result.children) > 1 or ev.library_calls(result):  # the first one is who was asked
        return "a second process", _PROCESS
    return None


def _writer(calls: list[SystemCall]) -> Trouble | None:
    """Return a call that makes or changes a file, or opens one for that; Python's own compiled modules do not count."""
    for call in calls:
        opens = call.name in ("open", "openat") and any(flag in call.arguments for flag in _CHANGES)
        made = not call.errno or (opens and "images.db" in call.arguments)
        if made and (opens or call.name in _CHANGING) and "__pycache__" not in call.arguments:
            changes = any(flag in call.arguments for flag in _CHANGES if flag != "O_RDWR") or not opens
            return str(call), _WRITES if changes else _LOCKS
    return None


def _stopped(stops: list[str]) -> Trouble | None:
    """Return calls at which a listener of our own (stepping.py) stopped a search."""
    for name in stops:
        if name in PROGRAM_CALLS:
            return f"{name}, another program", _HELP
        if name in (*_CHANGING, "open", "openat", "openat2", "truncate"):
            return f"{name}, for writing", _WRITES
    return None


def _left(told: Mapping[str, object]) -> Trouble | None:
    """Return what is there after three searches: found, not found, no database."""
    if told.get("same") is not True:
        return "the database is not what it was: its content, its mode or its time", _MENDS
    if made := told.get("made"):
        return f"files that were not there before: {made}", _LEAVES
    left = told.get("left")
    if isinstance(left, list) and left:
        return f"still open afterwards: {left[0]}", _OPEN
    return None
