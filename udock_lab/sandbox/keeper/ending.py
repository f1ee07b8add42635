"""The third phase: what is left is killed, and the last words are taken."""

from __future__ import annotations

import time

from udock_lab.linux.waiting import waits_in
from udock_lab.sandbox.keeper import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.keeper.sandbox import Sandbox
    from udock_lab.sandbox.keeper.trace import Trace

__all__ = ["Ending", "kill_everything"]

WAITS = 10  # processes of which the result says what they were doing at the time limit
ROUNDS = 500


class Ending:
    """Notes what there is to note of those that are still there, before they are killed."""

    def __init__(self, sandbox: Sandbox, trace: Trace) -> None:
        self.sandbox = sandbox
        self.trace = trace
        self.seconds = 0.0  # for which the learner's code ran
        self.leftovers: set[int] = set()
        self.waits: dict[int, str] = {}  # at the time limit: what a process was doing

    def run(self) -> None:
        """Kill what is left, then take what was said before."""
        sandbox = self.sandbox
        self.seconds = time.monotonic() - sandbox.started if sandbox.started else 0.0
        self.leftovers = set(sandbox.living())
        if sandbox.ended_by == "timeout":
            stopped = self.trace.stopped
            self.waits = {pid: stopped.get(pid) or waits_in(pid) for pid in sorted(self.leftovers)[:WAITS]}
        kill_everything(sandbox)
        end = time.monotonic() + 1.0
        while sandbox.loop.turn(0.0) and time.monotonic() < end:
            pass
        sandbox.reap()


def kill_everything(sandbox: Sandbox) -> None:
    """Kill until nothing is left; strace leaves when all it traced is gone."""
    runner, rounds = sandbox.runner, 0
    while sweep.kill_all(sandbox.table.first or runner.child, runner.tracer) and rounds < ROUNDS:
        rounds += 1
        sandbox.turn(0.0 if rounds < 50 else 0.01)  # at once, while they fork; who sleeps in the kernel dies slowly
    patience = time.monotonic() + 1.0
    while not sweep.has_ended(runner.child):
        sandbox.turn(0.005)
        if time.monotonic() > patience:
            sweep.kill(runner.child)
    sandbox.reap()
