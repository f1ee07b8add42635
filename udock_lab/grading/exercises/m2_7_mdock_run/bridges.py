"""M2.7: what comes before the exercise."""

from __future__ import annotations

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.bridge import COMPLETE, REPAIR, Bridge
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_7_mdock_run import judge, scenes
from udock_lab.grading.exercises.m2_7_mdock_run.played import Drawn, play, words

__all__ = ["BRIDGES"]


@story("missing")
def there(bench: Bench) -> None:
    """Look up an image that images.db has: to miss each one is no lookup."""
    drawn = Drawn()
    played = play(bench, scenes.not_there, drawn, names=[drawn.image])
    step = played.value.get("row", {}).get(drawn.image, {"said": None})
    said, path = ev.heard(step["said"]), f"images/{drawn.image}/rootfs"
    if said is None or not said.returned or not str(said.plain).endswith(path):
        bench.fail(
            "missing",
            expected=f"the path of the image {drawn.image!r}, which images.db has: .../{path}",
            seen=words(said, bool(played.value.get("gone"))) if played.value else ev.raised(played.result),
            looks_like="no line is taken for the image's. A line has three fields; what was read as 'rb' is bytes, and "
            "bytes equal no text.",
        )
    judge.not_there.tell(bench)


BRIDGES = (
    Bridge(kind=COMPLETE, function="look_up", stands_for="run", keys=("missing",), stories=(there,)),
    Bridge(kind=REPAIR, function="run_inside", stands_for="run", keys=("inside",)),
)
