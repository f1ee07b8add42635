"""Hidden requirements of M2.3. For lecturers; never handed out."""

from __future__ import annotations

import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.grading.exercises.m2_3_container_ids import scenario
from udock_lab.model import Requirement

__all__ = ["HIDDEN"]

REQUIREMENTS = (
    Requirement(
        key="torn",
        name="a last line that was torn off keeps its bytes, and the new record begins on a line of its own",
        points=1,
        lesson='m2_3_container_ids, "Result"',
    ),
    Requirement(
        key="failing",
        name="the lock is given back also when the file cannot be read or written",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
    ),
)

TORN = """
workers = Workers()
write("table", text)
one = workers.start(lambda: allocate("table"))
workers.settled(one)
torn = [one["done"], one["pid"], read("table")]
os.mkdir("folder")
one = workers.start(lambda: allocate("folder"))
workers.settled(one)
lock = os.open("folder.lock", os.O_RDWR | os.O_CREAT, 0o666)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    free = True
except BlockingIOError:
    free = False
__value__ = [torn, one["done"], free]
workers.end()
"""


def judge(bench: Bench) -> None:
    """A process died while it wrote; and a table that is a folder, so that opening it fails under the lock."""
    top = random.randrange(20, 90)
    text = f"c3|17|demo\nc{top}|4711|de"
    value = ev.seen_value(bench.play(scenario(TORN), values={"text": text}, timeout=20, watch=False, trace=False))
    if not isinstance(value, list):
        bench.fail("torn", expected="allocate comes back", seen=str(value))
        return
    (done, pid, after), failed, free = value
    if done == ["returned", f"c{top + 1}", "str"] and after == f"{text}\nc{top + 1}|{pid}\n":
        bench.hold("torn")
    else:
        bench.fail("torn", expected=f"c{top + 1} on a line of its own", seen=f"{done}, {after!r}", go_on=True)
    if failed and failed[0] == "raised" and free:
        bench.hold("failing")
    else:
        bench.fail("failing", expected="an OSError, and the lock is free", seen=f"{failed}, free: {free}")


HIDDEN = Exercise(
    slug="m2_3_container_ids",
    title="next_id(db) and allocate(db): what is judged when you hand in",
    functions=("next_id", "allocate"),
    requirements=REQUIREMENTS,
    judge=judge,
)
