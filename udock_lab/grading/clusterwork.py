"""What a Dask worker does of ``udock-lab grade --cluster``: judge one submission, and write its result.

A worker judges only what the client would judge in the same way: the folder for results is the client's (a file that
the client wrote is there), and the judges are the same and were loaded as they are now. Otherwise it refuses, with a
sentence. What it hands back is small. The result itself is a file, whole and under a name of its own, so a submission
that two workers judge, because one of them was thought to be lost, has one result.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from udock_lab.errors import MdockError
from udock_lab.grading.batch import Batch
from udock_lab.grading.marks import Result
from udock_lab.grading.submissions import Sent
from udock_lab.grading.tries import Tries
from udock_lab.version import __version__

__all__ = ["Asked", "Row", "asked_in", "dask_setup", "judge", "software"]

_AGAIN = "Give each worker the same version and course folder, start it anew, and type the same command again."


class Asked(NamedTuple):
    """What a client asks of a worker.

    ``begun`` is the name of the file that the client wrote; ``versions``: slug to the judges that it has. ``alone``:
    nothing else is judged meanwhile, so whatever ends this worker is this submission.
    """

    sent: Sent
    out: Path
    course: Path | None
    again: bool
    begun: str
    versions: dict[str, str]
    software: str
    alone: bool = False


class Row(NamedTuple):
    """What became of it: a result, or why this worker judges nothing, or a submission that is to be judged alone."""

    result: Result | None = None
    refused: str = ""
    suspect: bool = False


def asked_in(out: Path, begun: str) -> Path:
    """Return the file by which a worker knows the client's folder for results."""
    return out / ".cluster" / begun


@cache
def software() -> str:
    """Return what judges here, in words."""
    return f"udock-lab {__version__} on Python {sys.version.split()[0]}"


def judge(asked: Asked) -> Row:
    """Judge one submission, unless its result is there."""
    try:
        begun = asked_in(asked.out, asked.begun).stat().st_mtime
    except OSError:
        return Row(refused=f"{_here()} does not see {asked.out} as it is here, or another run has begun there.\n{_SEE}")
    try:
        batch, sent = _batch(asked.out, asked.course, begun if asked.again else None), asked.sent
        slug, version = batch.judges_of(sent)
        if version and asked.versions.get(slug) != version:
            return Row(refused=f"{_here()} {_differs(asked, slug)}\n{_AGAIN}")
        if batch.tries and batch.tries.before(sent) and not asked.alone:
            return Row(suspect=True)
        return Row(batch.one(sent))
    except MdockError as error:  # no result can be written here
        return Row(refused=f"{_here()}: {error}")


def dask_setup(_worker: object) -> None:
    """Begin as a worker of our own cluster (a preload of Dask's): in a session of its own, out of reach of Ctrl-C."""
    with suppress(PermissionError):  # it leads one already
        os.setsid()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


_SEE = "Submissions, course and results must lie at the same place for every worker."


@cache
def _batch(out: Path, course: Path | None, begun: float | None) -> Batch:
    """Return the same one for all submissions of a run: handouts are read once."""
    return Batch(out, course, again=begun is not None, tries=Tries(out), begun=begun, versions=_loaded(course))


@cache
def _loaded(_course: Path | None) -> dict[str, str]:
    """Return the versions of a course's judges as this process has loaded them: it never loads them anew."""
    return {}


def _differs(asked: Asked, slug: str) -> str:
    if asked.software != software():
        return f"has {software()}; here it is {asked.software}."
    return f"has other judges of {slug} than are here, or has loaded them before they were changed."


def _here() -> str:
    return f"The worker on {socket.gethostname()} (process {os.getpid()})"
