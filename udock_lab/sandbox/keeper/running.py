"""The second phase: the learner's code runs, until everything is gone; or it is too late, too much, or not wanted."""

from __future__ import annotations

import time

from udock_lab.sandbox.keeper import sweep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.sandbox.keeper.sandbox import Sandbox
    from udock_lab.sandbox.keeper.words import Words

__all__ = ["Running"]

LOOK = 0.05  # seconds between two looks at who is there
TELL = 5.0  # seconds more for the first process inside to say what it saw, which strace slows down on a busy machine


class Running:
    """Looks at who is there, again and again, while news comes in."""

    def __init__(self, sandbox: Sandbox, words: Words) -> None:
        self.sandbox = sandbox
        self.words = words
        self.shared_before = sweep.shared_memory()

    def run(self) -> None:
        """Run until ``sandbox.ended_by`` says why it has come to an end."""
        sandbox, next_look = self.sandbox, 0.0
        while not sandbox.ended_by:
            sandbox.turn(LOOK)
            now = time.monotonic()
            if sandbox.news or now >= next_look:
                sandbox.news, next_look = False, now + LOOK
                self._look()
            if now > sandbox.deadline + (TELL if self._inside_will_tell() else 0.0):
                sandbox.end("end" if sandbox.first_is_gone else ("timeout" if sandbox.started else "start"))

    def _look(self) -> None:
        """Look who is there.

        The end has come when the first process and all it left are gone.
        """
        sandbox = self.sandbox
        alive = sandbox.living()
        self.words.listen()  # those who can tell more about themselves do so first
        for pid, above in alive.items():
            sandbox.table.meet(pid, above)
        if sandbox.started and sandbox.table.first not in alive:  # before that, we still learn who the first one is
            sandbox.first_has_gone()
        if len(alive) > sandbox.request.limits.processes:
            sandbox.end("processes")
        elif sandbox.request.together and self._memory_of(alive) > sandbox.request.together:
            sandbox.end("memory")
        elif not alive and self._nobody_will_come():
            sandbox.end("end")

    def _nobody_will_come(self) -> bool:
        sandbox = self.sandbox
        return (sandbox.first_is_gone or sweep.has_ended(sandbox.runner.child)) and sandbox.helpers_are_gone()

    def _inside_will_tell(self) -> bool:
        """Return whether the learner's process is gone, and what it left in its folder has not been told yet."""
        sandbox = self.sandbox
        return (
            sandbox.first_is_gone
            and self.words.files is None
            and bool(sandbox.helpers)
            and not sandbox.helpers_are_gone()
        )

    def _memory_of(self, alive: dict[int, int]) -> int:
        """Return the memory that these processes have.

        Shared memory is looked for where the machine has as much more of it as would be too much.
        """
        own, grown = sweep.memory_of(alive), sweep.shared_memory() - self.shared_before
        if own + grown <= self.sandbox.request.together:
            return own
        return own + min(grown, sweep.shared_by(alive))
