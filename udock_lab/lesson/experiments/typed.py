"""``type_mdock``: mdock as it is typed in a terminal, also in many terminals at once."""

from __future__ import annotations

import shlex
import subprocess
import sys

__all__ = ["type_mdock"]


def type_mdock(command: str, times: int) -> list[int]:
    """Run ``mdock`` with these words, so many times at once; return the exit codes.

    Each is a process of its own, as in a terminal of its own. What one alone says on stderr is printed, and its code.
    """
    words = [sys.executable, "-m", "udock_lab", *shlex.split(command)]
    runs = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(times)]
    said = [run.communicate()[1] for run in runs]
    codes = [run.returncode for run in runs]
    if times == 1:
        print(f"{said[0]}exit code {codes[0]}")
    return codes
