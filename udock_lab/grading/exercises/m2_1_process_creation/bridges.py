"""M2.1: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading.bench import Bench
from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_1_process_creation import diagnose, witness
from udock_lab.grading.exercises.m2_1_process_creation.playing import played

__all__ = ["BRIDGES"]


@story("own", after=("becomes",))
def its_own(bench: Bench) -> None:
    """Look at the caller's other children afterwards; what the part returns is not asked for."""
    result = played(bench, "own")
    if witness.others(result) != ["ended", "busy"]:
        bench.fail(
            "own",
            expected="the caller's other children are still there to be waited for",
            seen="it waits for all children there are" if witness.hung(result) else "another child's end was taken",
            looks_like=diagnose.ANY_CHILD,
        )
    bench.hold("own", seen="the other children's ends were still there")


BRIDGES = (
    Bridge(
        kind=COMPLETE,
        function="start",
        stands_for="launch",
        keys=("starts", "becomes", "own"),
        stories=(its_own,),
    ),
    Bridge(kind=REPAIR, function="end_of", stands_for="launch", keys=("code",)),
)
