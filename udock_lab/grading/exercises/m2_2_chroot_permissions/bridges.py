"""M2.2: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="go_inside", stands_for="enter", keys=("root", "cwd")),
    Bridge(kind=REPAIR, function="or_stay", stands_for="enter", keys=("only",)),
)
