"""Before the start gate opens, the child goes through the motions, to pay for them while nobody waits."""

from __future__ import annotations

import os
from time import monotonic_ns

from udock_lab.isolation.sequence import make_steps
from udock_lab.isolation.step import Child
from udock_lab.runtime.child.plan import Plan
from udock_lab.runtime.child.reports import EXEC

__all__ = ["rehearse"]


def rehearse() -> None:
    """Go through the motions before the gate opens.

    After a fork, every page that is written is copied first (copy-on-write). Touching now what the run will
    touch moves that cost to a moment when nobody waits. Every call here fails or changes nothing.
    """
    plan = Plan.unpack(Plan((("chdir", "/"),), ("x",), {"A": "b"}, "/", ("x",)).pack())
    child = Child(plan.rootfs)
    start = monotonic_ns()
    calls = ["subreaper"], ["uid_map", ""], ["chdir", "/"], ["chroot", ""], ["chdir_inside", "/"], ["signals", ""]
    for step in make_steps(calls):
        try:
            step.apply(child)
        except OSError as error:
            start = min(start, error.errno or 0)
    try:
        os.execve("", plan.argv, plan.env)
    except OSError as error:
        b"%d %d %d %d\n" % (EXEC, error.errno or 0, start, monotonic_ns())
