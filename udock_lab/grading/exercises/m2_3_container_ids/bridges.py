"""M2.3: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="id_after", stands_for="next_id", keys=("highest", "numbers")),
    Bridge(kind=REPAIR, function="take", stands_for="allocate", keys=("waits", "reads")),
)
