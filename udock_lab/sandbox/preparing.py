"""What the keeper gets: a scratch folder, and the request with all that it takes to start Python."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from udock_lab.linux.strace import PROCESS_CALLS, STEP_CALLS, TEACHING_CALLS
from udock_lab.sandbox.bounds import TOGETHER
from udock_lab.sandbox.keepers import PACKAGE
from udock_lab.sandbox.messages import Limits, Request
from udock_lab.sandbox.removal import SHARED, remove

__all__ = ["PLAIN_ENVIRONMENT", "make_request", "scratch_folder"]

PLAIN_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}


def make_request(
    source: str,
    sources: dict[str, str],
    scratch: str,
    *,
    cwd: str | os.PathLike[str] | None,
    limits: Limits,
    timeout: float,
    watch: bool,
    trace: bool,
    calls: Sequence[str],
    inject: str,
    shut: bool,
    lines: bool,
    files: Sequence[str],
) -> Request:
    """Add what the code would find out here, and finds in there too; but no secrets of ours if it is not trusted."""
    untraced, strace = _strace(watch or trace)
    here = ""
    with suppress(FileNotFoundError):  # somebody removed the folder that the notebook works in
        here = os.getcwd()
    return Request(
        source=source,
        sources=sources,
        scratch=scratch,
        cwd=os.path.abspath(cwd) if cwd is not None else "",
        limits=limits,
        timeout=timeout,
        strace=strace,
        untraced=untraced,
        calls=(*(tuple(calls) or TEACHING_CALLS), *(STEP_CALLS if lines else ())) if trace else PROCESS_CALLS,
        lines=lines,
        files=tuple(files),
        inject=inject,
        shut=shut,
        together=TOGETHER if shut else 0,
        python=sys.executable,
        package=PACKAGE,
        path=tuple([found for entry in sys.path if (found := entry or here)]),
        env=PLAIN_ENVIRONMENT if shut else dict(os.environ),
    )


def _strace(wanted: bool) -> tuple[str, str]:
    """Return (why not, path): the keeper finds out whether the machine permits it."""
    if not wanted:
        return "nobody was asked to watch", ""
    path = shutil.which("strace")
    return ("", path) if path else ("strace is not installed. Get it with: sudo apt-get install strace", "")


@contextmanager
def scratch_folder(*, shut: bool) -> Iterator[str]:
    """Name a folder that the keeper makes, and removes when all is over; we do, should the keeper have died.

    Made by us, it would stay behind if we were killed before there is a keeper.
    ``shut``: where another user can reach it, since without namespaces the code runs as one.
    """
    place = tempfile.gettempdir()
    if shut and os.geteuid() == 0:
        place = next(filter(_is_open_to_all, (place, *SHARED)), place)
    folder = os.path.join(place, f"udock-sandbox-{os.urandom(8).hex()}")
    try:
        yield folder
    finally:
        if os.path.exists(folder):
            remove(folder)


def _is_open_to_all(folder: str) -> bool:
    """Return whether others may pass each folder on the way to it (path_resolution(7))."""
    try:
        return all(os.stat(one).st_mode & stat.S_IXOTH for one in (Path(folder), *Path(folder).absolute().parents))
    except OSError:
        return False
