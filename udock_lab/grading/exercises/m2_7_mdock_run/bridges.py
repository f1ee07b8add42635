"""M2.7: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="look_up", stands_for="run", keys=("missing",)),
    Bridge(kind=REPAIR, function="run_inside", stands_for="run", keys=("inside",)),
)
