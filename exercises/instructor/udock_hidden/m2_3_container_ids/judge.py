"""How the hidden requirements of M2.3 are judged."""

from __future__ import annotations

import random

from udock_lab.grading.bench import Bench
from udock_lab.grading.evidence import heard
from udock_lab.grading.exercise import story
from udock_lab.grading.exercises.m2_3_container_ids.diagnose import came_of, changed, number_of
from udock_lab.grading.exercises.m2_3_container_ids.judge import played

from . import scenes

__all__ = ["STORIES"]


@story("torn")
def torn(bench: Bench) -> None:
    """Judge what is appended where a process died while it wrote."""
    top = random.randrange(20, 90)
    text = f"c3|17|demo\nc{top}|4711|de"
    told = played(bench, scenes.torn, "torn", text=text)
    done, after = heard(told["done"]), told["after"]
    if number_of(done) == top + 1 and after == f"{text}\nc{top + 1}|{told['pid']}\n":
        bench.hold("torn", by="effects")
        return
    expected = f"{text!r} as it was, and the line of c{top + 1} below it"
    if number_of(done) != top + 1:
        bench.fail("torn", expected=expected, seen=came_of(done, "allocate", gone=told["gone"]), by="effects")
    bench.fail("torn", expected=expected, seen=changed(text, after), looks_like=_torn(text, after), by="effects")


def _torn(text: str, after: str | None) -> str:
    if after is not None and not after.startswith(text):
        return "half a line taken for rubbish. Whose it was may still need it, and its id was given out."
    if after is not None and not after.startswith(f"{text}\n"):
        return "every file taken to end with a newline: two records stand on one line now."
    return ""


@story("failing")
def failing(bench: Bench) -> None:
    """Judge errors under the lock: which one comes out, and whether the lock is free while somebody keeps it."""
    text = f"c3|17|demo\nc{random.randrange(20, 90)}|4711|demo\n"
    for db, told in played(bench, scenes.failing, "failing", text=text).items():
        done = heard(told["done"])
        if done is None or done.returned or not done.is_a("OSError"):
            bench.fail(
                "failing",
                expected="the OSError itself",
                seen=f"{came_of(done, 'allocate', gone=told['gone'])} ({db})",
                looks_like="an error taken for a missing file, or for one that may be passed over."
                if done is not None and done.returned
                else "",
                by="effects",
            )
        if told["free"] is False:
            bench.fail(
                "failing",
                expected="the lock is free after the error",
                seen=f"{came_of(done, 'allocate')}, and the lock is still held ({db})",
                looks_like="a lock that goes with the frame, which the error keeps. with, or finally, closes it.",
                by="kernel",
            )
    bench.hold("failing", by="effects")


STORIES = (torn, failing)
