"""M2.5: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge

__all__ = ["BRIDGES"]

BRIDGES = (
    Bridge(kind=COMPLETE, function="path_of", stands_for="find_image_by_name", keys=("finds",)),
    Bridge(kind=REPAIR, function="exactly", stands_for="find_image_by_name", keys=("exact",)),
)
