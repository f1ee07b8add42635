"""What somebody handed in, read in a process of its own (reader.py): here its bytes only pass by.

That process has a bound for time and memory, and what it hands back is data. One that does not come back costs one
submission its reading, and that is said in a sentence.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from udock_lab.errors import MdockError, UsageError
from udock_lab.grading.notebook import Solution
from udock_lab.grading.reader import MEMORY, SECONDS
from udock_lab.grading.submission import patience
from udock_lab.model.plain import MalformedError, revive

__all__ = ["for_nbgrader", "solution_in"]

_PACKAGE = str(Path(__file__).absolute().parents[2])  # the folder that holds udock_lab
_CODE = "import sys; sys.path.insert(0, sys.argv[1]); from udock_lab.grading.reader import main; main()"
_PATIENCE = 2 * SECONDS  # seconds by the clock, on a quiet machine
_MOST_ANSWER = 64 << 20  # bytes
_ASK_AGAIN = "Ask for the notebook as it was written."


def solution_in(
    notebook: bytes, name: str, given: Mapping[str, str], solutions: frozenset[str], functions: Sequence[str]
) -> Solution:
    """Return a learner's answer; UsageError with what is wrong with the notebook, which is called ``name``."""
    wanted = {"do": "solution", "given": dict(given), "solutions": sorted(solutions), "functions": list(functions)}
    found = _asked(notebook, name, wanted)
    try:
        return revive(Solution, found)
    except MalformedError as error:
        raise MdockError(f"{name}: its reader says what it should not: {error}.", "") from None


def for_nbgrader(notebook: bytes, name: str, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a notebook that nbgrader can take; ``facts``: what nbgrader knows of the handout's cells. UsageError."""
    found = _asked(notebook, name, {"do": "for nbgrader", "facts": {key: dict(own) for key, own in facts.items()}})
    assert isinstance(found, dict)
    return found


def _asked(notebook: bytes, name: str, wanted: dict[str, Any]) -> object:
    """Ask a reader; UsageError for what it refuses, and for what it does not come back from."""
    question = json.dumps(wanted | {"name": name.encode("utf-8", "backslashreplace").decode()}).encode()
    said = _read_apart(question + b"\n" + notebook, name)
    answer = json.loads(said)
    if "refused" in answer:
        what, hint = answer["refused"]
        raise UsageError(what, hint)
    return answer["found"]


def _read_apart(question: bytes, name: str) -> bytes:
    """Start a reader, return all it says; UsageError where it ended otherwise than by itself."""
    place = os.memfd_create("udock-notebook")
    try:
        with open(place, "wb", closefd=False) as file:
            file.write(question)
        os.lseek(place, 0, os.SEEK_SET)
        reader = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _CODE, _PACKAGE],
            stdin=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # Ctrl-C is the grader's
        )
    finally:
        os.close(place)
    assert reader.stdout is not None
    with reader.stdout as answer:
        try:
            said = _taken(answer.fileno(), time.monotonic() + _PATIENCE * patience())
        finally:
            reader.kill()  # it has said all, or too late
            code = reader.wait()
    if said is None or not said:
        raise UsageError(f"{name} cannot be read: {_in_words(code, late=said is None)}.", _ASK_AGAIN)
    return said


def _taken(fd: int, deadline: float) -> bytes | None:
    """Return what is said until the end; None where that comes too late, or is too much."""
    pieces: list[bytes] = []
    size = 0
    ready = select.poll()
    ready.register(fd, select.POLLIN)
    while size <= _MOST_ANSWER and ready.poll(max(0, 1000 * (deadline - time.monotonic()))):
        piece = os.read(fd, 1 << 20)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
    return None


def _in_words(code: int, *, late: bool) -> str:
    if late or code == -signal.SIGKILL or code == -signal.SIGXCPU:
        return f"that takes more than {SECONDS} seconds of a processor"
    if code < 0:
        return "it is nested too deeply"
    return f"that takes more than {MEMORY >> 20} MiB of memory"
