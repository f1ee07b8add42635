"""What a sandbox run may use: defaults, and what makes sense."""

from __future__ import annotations

import os

from udock_lab.errors import UsageError

__all__ = [
    "FILE_SIZE",
    "MEMORY",
    "MOST_PROCESSES",
    "MOST_SECONDS",
    "PROCESSES",
    "SHOWN",
    "TIMEOUT",
    "TOGETHER",
    "check_bounds",
]

TIMEOUT = 10.0  # seconds
MEMORY = 2 << 30  # bytes of address space, per process
PROCESSES = 64  # at once
TOGETHER = 1 << 30  # bytes of memory that all processes of code that is not trusted may use at once
FILE_SIZE = 256 << 20  # bytes of one file (RLIMIT_FSIZE)
SHOWN = 256 << 10  # bytes of output that the cell and the result get
LEAST_MEMORY = 64 << 20  # Python itself and what it imports want some
MOST_SECONDS = 3600.0
MOST_PROCESSES = 1000


def check_bounds(timeout: float, memory: int, processes: int, cwd: str | os.PathLike[str] | None) -> None:
    """Raise UsageError for a bound that makes no sense."""
    if not 0 < timeout <= MOST_SECONDS:
        raise UsageError(
            f"A sandbox ends after some seconds, {MOST_SECONDS:g} at most; {timeout:g} is none of that.",
            "Give for instance 30.",
        )
    if memory < LEAST_MEMORY:
        raise UsageError(
            f"Python itself needs {LEAST_MEMORY >> 20} MiB of address space; {memory:,} bytes are too few.",
            "Give for instance 256M (268435456 bytes).",
        )
    if not 1 <= processes <= MOST_PROCESSES:
        raise UsageError(
            f"A sandbox may have 1 to {MOST_PROCESSES} processes at once, not {processes}.", "Give for instance 64."
        )
    if cwd is not None and not os.path.isdir(cwd):
        raise UsageError(
            f"There is no folder {os.fspath(cwd)!r} to work in.", "Leave cwd out: a scratch folder is made."
        )
