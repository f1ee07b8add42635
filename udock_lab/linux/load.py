"""How busy the machine is (getloadavg(3))."""

from __future__ import annotations

import os

__all__ = ["crowd"]


def crowd(most: float) -> float:
    """Processes that want to run, per processor that we may use, over the last minute; at least 1, ``most`` at most.

    By as much longer than alone do things take: a time limit that tells what hangs from what works is multiplied.
    """
    return min(max(os.getloadavg()[0] / len(os.sched_getaffinity(0)), 1.0), most)
