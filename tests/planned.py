"""Runs whose plans nobody can ask for yet: a second fork on the way, a pid namespace of its own."""

from __future__ import annotations

import os

from udock_lab import Runtime
from udock_lab.isolation.sequence import make_steps, steps_for_a_container
from udock_lab.isolation.wanted import Wanted
from udock_lab.model import ContainerSpec, RunResult
from udock_lab.model.value import replace
from udock_lab.runtime.child.plan import Plan, environment
from udock_lab.runtime.client.connection import Connection, the_launcher
from udock_lab.runtime.client.planning import Planned, run_request
from udock_lab.runtime.protocol import RunRequest
from udock_lab.runtime.runio import RunIO
from udock_lab.runtime.running import Runs, no_advice

__all__ = ["FIRST", "SHELL", "TWICE", "Steps", "execute"]

Steps = list[list[str | int]]


def execute(
    runtime: Runtime,
    wanted: Wanted,
    *argv: str,
    connection: Connection | None = None,
    detach: bool = False,
    fresh: bool = False,
    tty: bool = False,
    before: Steps = [],  # noqa: B006 - steps that are made before all others, and before the gate
) -> RunResult:
    """Run a program as ``Runtime.run`` does, shut into what is wanted, in the image ``demo``."""
    rootfs = runtime.images()[0].rootfs
    spec = ContainerSpec(image="demo", argv=argv, detach=detach, tty=tty)
    wanted = replace(wanted, rootfs=rootfs, workdir="/", adopts_orphans=True, terminal=tty)
    steps, before_gate = steps_for_a_container(wanted)
    words = tuple([tuple(one) for one in (*before, *(step.words() for step in steps))])
    before_gate += len(before)
    planned = run_request(runtime.home, spec, rootfs, fresh=fresh)
    assert isinstance(planned.request, RunRequest)
    request = replace(planned.request, steps=words, before_gate=before_gate)
    plan = Plan(words, argv, environment(()), rootfs, request.candidates, before_gate=before_gate)
    runs = Runs(runtime.home, connection or the_launcher(), raises_interrupts=True)
    return runs.follow(Planned(request, planned.root, plan, make_steps(words)), RunIO(), no_advice)


OWN = (os.geteuid(), os.getegid()) if os.geteuid() else None  # as root no user namespace is needed
FIRST = Wanted(own_ids=OWN, namespaces=("new_pids",), is_first=True)
TWICE: Steps = [["first_process"]]  # a second fork, without a namespace
SHELL = "/bin/sh"
