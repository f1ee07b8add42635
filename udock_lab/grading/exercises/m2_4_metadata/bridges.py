"""M2.4: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="add", stands_for="save", keys=("saves",)),
    Bridge(kind=REPAIR, function="end", stands_for="update", keys=("finishes",)),
)
