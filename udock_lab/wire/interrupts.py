"""What a Ctrl-C does while somebody waits for processes of ours: one policy for containers and sandboxes.

The first one asks what runs to end (SIGINT; a sandbox is ended at once). The second one kills it (SIGKILL). Both are
carried out by a helper process. From the third on (:data:`INSIST`) the caller is let go where no helper acts: at once
if a signal has stopped one (SIGSTOP), after :data:`PATIENCE` seconds if it does not answer. What was interrupted has
not ended then, and :class:`~udock_lab.errors.LetGo` says so, and what to type.
"""

from __future__ import annotations

import time
from contextlib import contextmanager

from udock_lab.errors import LetGo
from udock_lab.linux.process import in_main_thread, stopped

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator, Mapping, Sequence
else:
    import _signal as signal

__all__ = ["INSIST", "PATIENCE", "UNREAD", "Insistence", "handled", "is_ignored"]

INSIST = 3  # interrupts after which the caller is let go where nobody acts on them
PATIENCE = 2.0  # seconds after the third that a helper may take which is not stopped
UNREAD = 0.5  # seconds after which output that nobody takes does not hold a caller who insists


class Insistence:
    """How often, and since when, somebody has asked for the end."""

    def __init__(self) -> None:
        self._asked: list[float] = []  # seconds of the monotonic clock
        self.interrupts = 0  # those that came as Ctrl-C

    def interrupt(self) -> int:
        """Count a Ctrl-C; return the signal that it stands for."""
        self.interrupts += 1
        self.ask()
        return signal.SIGINT if self.interrupts == 1 else signal.SIGKILL

    def ask(self) -> None:
        """Count another signal whose sender wants the end."""
        self._asked.append(time.monotonic())

    @property
    def insists(self) -> bool:
        """It was asked so often that the caller may be let go."""
        return len(self._asked) >= INSIST

    @property
    def is_out_of_patience(self) -> bool:
        """Insists, and the helper has had its time."""
        return self.insists and time.monotonic() >= self._asked[INSIST - 1] + PATIENCE

    def is_held_by_a_reader(self, since: float | None) -> bool:
        """Return whether the user insists while a reader takes no output.

        ``since``: when the output that is being passed on began to wait (None: none does).
        """
        return since is not None and self.insists and time.monotonic() > since + UNREAD

    def let_go_of(self, helpers: Sequence[int], what: str, container: str = "", *, wait: bool = True) -> None:
        """Raise LetGo where one of the ``helpers`` is stopped or, unless it is to ``wait``, time is up.

        ``what`` is how we speak of what runs; the first of the helpers is the one that is to act.
        """
        stuck = stopped(helpers)
        if stuck or (not wait and self.is_out_of_patience):
            raise LetGo(what, container, stuck, helpers[0] if helpers else None)


def is_ignored(number: int) -> bool:
    """Return whether this signal is ignored, by our caller's choice, or handled by what is no Python code.

    Then it is not ours.
    """
    return signal.getsignal(number) in (signal.SIG_IGN, None)


@contextmanager
def handled(handlers: Mapping[int, Callable[[int, object], object]]) -> Iterator[None]:
    """Handle these signals within; afterwards as before. Elsewhere than in the main thread no signal comes."""
    if not in_main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
