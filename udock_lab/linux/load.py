"""How busy the machine is (getloadavg(3))."""

from __future__ import annotations

import os

__all__ = ["crowd"]


def crowd(most: float) -> float:
    """Return how many processes want to run per processor, over the last minute; at least 1, ``most`` at most.

    Only processors that we may use count. By this factor things take longer than on a quiet machine: a time limit that
    tells what hangs from what works is multiplied by it.
    """
    return min(max(os.getloadavg()[0] / len(os.sched_getaffinity(0)), 1.0), most)
