"""The first phase: the runner is started, traced where that is wanted and possible, until it has said hello."""

from __future__ import annotations

import os
import time

from udock_lab.sandbox.keeper import sweep
from udock_lab.sandbox.keeper.identity import choose_identity
from udock_lab.sandbox.keeper.spawn import start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.keeper.sandbox import Sandbox
    from udock_lab.sandbox.keeper.streams import Streams
    from udock_lab.sandbox.keeper.trace import Trace
    from udock_lab.sandbox.keeper.words import Words

__all__ = ["Starting"]

LOOK = 0.05  # seconds between two looks at whether strace still lives


class UntracedError(Exception):
    """strace would not start; its words."""


class Starting:
    """Brings the runner on its way, and its channels to the witnesses."""

    def __init__(self, sandbox: Sandbox, words: Words, trace: Trace, streams: Streams) -> None:
        self.sandbox = sandbox
        self.words, self.trace, self.streams = words, trace, streams

    def run(self) -> None:
        """Start it; without strace where that will not start. OSError if Python itself does not start."""
        sandbox = self.sandbox
        try:
            self._spawn(sandbox.request.strace)
            self._choose_identity()  # while the runner is on its way
            self._wait_for_hello()
        except UntracedError as why:
            sandbox.untraced = f"strace may not trace here: {why}. See: %mdock doctor"
            self._spawn("")
            self._choose_identity()

    def _spawn(self, strace: str) -> None:
        try:
            runner = start(self.sandbox.request, strace)
        except OSError as error:
            if not strace:
                raise
            raise UntracedError(f"{strace} does not start: {error.strerror}") from None
        self.sandbox.runner = runner
        watch = self.sandbox.loop.watch  # in this order they are served: so output has an author when it comes
        watch(runner.trace, lambda _: self.trace.read(runner.trace))
        watch(runner.reports, self.words.listen)
        watch(runner.stdout, lambda _: self.streams.read("stdout", runner.stdout))
        watch(runner.stderr, lambda _: self.streams.read("stderr", runner.stderr))
        watch(runner.pidfd, lambda _: self.sandbox.close(runner.pidfd))

    def _choose_identity(self) -> None:
        sandbox = self.sandbox
        sandbox.identity = choose_identity(sandbox.request)
        if sandbox.identity.uid:
            os.chown(sandbox.request.scratch, sandbox.identity.uid, sandbox.identity.uid)

    def _wait_for_hello(self) -> None:
        """Wait for the runner's first word.

        strace that may not trace says so and ends before it.
        """
        sandbox, runner = self.sandbox, self.sandbox.runner
        while runner.tracer and not sandbox.table.first and time.monotonic() < sandbox.deadline:
            ended = sweep.has_ended(runner.child)
            sandbox.turn(0.0 if ended else LOOK)
            if ended and not sandbox.table.first:
                for end in runner.ends:
                    sandbox.close(end)
                raise UntracedError(self.streams.first_complaint() or "it ends at once")
