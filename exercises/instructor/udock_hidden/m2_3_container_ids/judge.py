"""How the hidden requirements of M2.3 are judged."""

from __future__ import annotations

import random

from udock_lab.grading import evidence as ev
from udock_lab.grading.bench import Bench
from udock_lab.grading.exercise import Story
from udock_lab.grading.scenario import apart, job

from .requirements import REQUIREMENTS

__all__ = ["STORIES"]


# Three ways to fail under the lock: a table that is a folder, one that nobody may read (not refused to everybody), and
# one that cannot grow (setrlimit(2), RLIMIT_FSIZE). The error stays alive, as behind a cell; is the lock free?
FAILING = apart(
    "text",
    """
import fcntl, os, resource
from udock_lab.grading.workers import Workers, content, put
def full(db):
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(text), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    return allocate(db)
def is_free(path):
    try:
        with open(path, "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
workers = Workers()
put("torn.db", text)
one = workers.start(lambda: allocate("torn.db"))
torn = [*workers.settled(one), one["pid"], content("torn.db")]
os.mkdir("folder.db")
for name in ("shut.db", "full.db"):
    put(name, text + "\\n")
os.chmod("shut.db", 0o200)
text += "\\n"
calls = {"folder.db": allocate, "shut.db": allocate, "full.db": full}
if os.access("shut.db", os.R_OK):
    del calls["shut.db"]
ones = {db: workers.start(lambda: call(db)) for db, call in calls.items()}
workers.until(lambda: all(one["done"] for one in ones.values()), 2)
failing = {db: [one["done"], is_free(db + ".lock")] for db, one in ones.items()}
workers.end()
return [torn, failing]
""",
)


def judge(bench: Bench) -> None:
    """Judge a process that died while it wrote, and tables that cannot be read or written when the lock is there."""
    top = random.randrange(20, 90)
    text = f"c3|17|demo\nc{top}|4711|de"
    value = ev.seen_value(bench.play(FAILING, values=job(text=text), timeout=20, watch=False, trace=False))
    if not isinstance(value, list):
        bench.fail("torn", expected="allocate comes back", seen=str(value))
        return
    (done, pid, after), failing = value
    if done == ["returned", f"c{top + 1}", "str"] and after == f"{text}\nc{top + 1}|{pid}\n":
        bench.hold("torn")
    else:
        bench.fail("torn", expected=f"c{top + 1} on a line of its own", seen=f"{done}, {after!r}", go_on=True)
    for db, (said, free) in failing.items():
        if not said or said[0] != "raised" or said[2] != "OSError" or not free:
            bench.fail("failing", expected="an OSError, and the lock is free", seen=f"{db}: {said}, free: {free}")
    bench.hold("failing")


STORIES = (Story(judge, tuple(requirement.key for requirement in REQUIREMENTS)),)
