"""What is mounted, as far as this test process has to answer for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

__all__ = ["mounts"]


def mounts(own: Path) -> list[str]:
    """The lines of proc_pid_mounts(5), without what tests in other processes mount in their folders.

    ``own`` is a folder of the test's; all that pytest gives to this process lies beside it.
    """
    ours = (f"{own.parent}/", f"{tempfile.gettempdir()}/")
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if line.split()[1].startswith(ours) or not _is_in_a_tests_folder(line.split()[1])]


def _is_in_a_tests_folder(place: str) -> bool:
    return "/pytest-of-" in place or "/udock-tests-" in place
