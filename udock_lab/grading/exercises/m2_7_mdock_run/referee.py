"""The referee of M2.7: workers (grading/workers.py) that call run, and what they leave behind when they are killed."""

from __future__ import annotations

import os
from typing import Any

from udock_lab.grading.workers import Worker, Workers
from udock_lab.linux.process import children

__all__ = ["Referee", "came_to", "outcomes"]


def outcomes(runner: Worker) -> list[Any]:
    """Return what came of its runs: [name, what run returned or raised, forks, what a copy of the runner said]."""
    return [one for one in runner.words.get("outcomes", []) if isinstance(one, list) and len(one) == 4]


def came_to(runner: Worker, number: int) -> bool:
    """Return whether so many of its runs are over, or it is."""
    return runner.gone or len(outcomes(runner)) >= number


class Referee(Workers):
    """Starts runners, hears them, waits for what the kernel shows, ends whatever runs below it."""

    BUSY = 6.0

    def orphans(self) -> list[int]:
        """Return children that are no runners: they came here when their parent ended."""
        return [pid for pid in children(os.getpid()) if pid not in self.all]

    def end(self) -> None:
        """End whatever runs below this process."""
        self.clear()
