"""M2.6: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="why_not", stands_for="run", keys=("missing",)),
    Bridge(kind=REPAIR, function="comes_back", stands_for="run", keys=("back", "ended")),
)
