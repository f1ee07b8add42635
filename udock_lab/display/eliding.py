"""What differs from machine to machine and from run to run, and is left out of the text forms."""

from __future__ import annotations

import re
from collections.abc import Sequence

from udock_lab.model import (
    RunResult,
    StepReport,
)
from udock_lab.text.terminal import printable

__all__ = ["elided", "in_order", "without_pid"]

_NUMBER = re.compile(r"\d+")
_OTHERS_PID = re.compile(r"/proc/\d+/")


def _home_of(run: RunResult) -> str:
    return run.log_path.rpartition("/logs/")[0]


def elided(text: str, run: RunResult | None) -> str:
    """Return the text without what differs between machines: the home's path, the pid of another container."""
    home = _home_of(run) if run else ""
    if home:
        text = text.replace(home, "...")
    return _OTHERS_PID.sub("/proc/<pid>/", text) if "/proc/" in text else text


def _pid_elided(text: str, pid: str) -> str:
    """Leave out the first number that is this pid. A pattern for each pid would have to be compiled for each run."""
    for number in _NUMBER.finditer(text):
        if number[0] == pid:
            return f"{text[: number.start()]}<pid>{text[number.end() :]}"
    return text


def without_pid(step: StepReport, run: RunResult | None) -> tuple[str, str]:
    """Return a step's call and result without paths and pids; an argument that looks like the pid stays."""
    call, result = elided(step.call, run), elided(step.result, run)
    if run is not None and run.pid and step.who == "parent":
        call, result = _pid_elided(call, str(run.pid)), _pid_elided(result, str(run.pid))
    return printable(call), printable(result)


def in_order(steps: Sequence[StepReport]) -> list[StepReport]:
    """Sort by time."""
    return sorted(steps, key=lambda step: step.start)
