"""M2.1: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="start", stands_for="launch", keys=("starts", "becomes")),
    Bridge(kind=REPAIR, function="end_of", stands_for="launch", keys=("code",)),
)
