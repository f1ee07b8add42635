"""How the hidden half is judged."""

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import story

from . import scenes


@story("signal")
def signal(bench: Bench) -> None:
    """Judge two signals."""
    result = bench.play(scenes.killed, values={"signals": [9, 15]}, timeout=5.0, trace=False, watch=False)
    if ev.seen_value(result) == ["False", "False"]:
        bench.hold("signal", by="effects")
    else:
        bench.fail("signal", expected="False", seen=str(ev.seen_value(result)), by="effects")


STORIES = (signal,)
