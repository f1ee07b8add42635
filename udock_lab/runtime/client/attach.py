"""The caller waits for its run: a link (link.py) driven by poll(2) until the container has ended.

Output is handed on as it comes. SIGINT goes to the container's process group, a second one kills it, a third one lets
go where nobody is there to do so. What is typed and window sizes are relayed.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress

from udock_lab.errors import LetGo
from udock_lab.linux.process import in_main_thread
from udock_lab.runtime.client.link import Link
from udock_lab.runtime.protocol import Ended, Event, Output, Refused, Started
from udock_lab.wire.interrupts import INSIST, Insistence, is_ignored

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from udock_lab.runtime.client.typed import Keys, Lines
else:
    import _signal as signal

__all__ = ["Attachment", "terminal_size"]

PAUSE = 200  # milliseconds for which a signal that comes a moment before we wait may go unnoticed

# Signals that the caller's process keeps to itself: those that nobody can catch, those that are about its own children,
# pipes, files and terminal (job control, window size), and its own faults.
_OUR_OWN = {
    *(signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGURG),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH),
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS),
}
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)  # who sends one of these wants us to end, as with SIGINT


def terminal_size() -> tuple[int, int]:
    """Return rows and columns of the caller's terminal: 24 and 80 where there is none, or it does not know them."""
    for fd in (0, 1, 2):
        with suppress(OSError):
            size = os.get_terminal_size(fd)
            return size.lines or 24, size.columns or 80
    return 24, 80


class Attachment:
    """The caller waits for one run: it hands on what comes, as it comes, and passes signals and keys on."""

    def __init__(
        self,
        on_output: Callable[[str, bytes], None] | None,
        on_event: Callable[[Event], None],
        supervisors: Callable[[], list[int]] = list,
        what: str = "",
    ) -> None:
        self.link = Link()
        self.on_output = on_output
        self.on_event = on_event
        self.asked = Insistence()  # how often we were asked to end
        self.supervisors = supervisors  # the processes that stand between us and the container
        self.what = what  # how we speak of it: empty for a container, which gets an id
        self._writing_since: float | None = None  # output that is being handed on
        self._typed = 0  # Ctrl-C keys that went to the container's terminal
        self._incoming = select.poll()
        self._hear()

    @property
    def stdout(self) -> bytearray:
        """The beginning of what it wrote there."""
        return self.link.stdout

    def ask(self, request: Callable[[int], bool]) -> None:
        """Have it asked for, as :meth:`Link.ask`."""
        self.link.ask(request)

    def close(self) -> None:
        """Let go of it."""
        self.link.close()

    def follow(
        self, until: type[Started | Ended], *, terminal: bool = False, typed: Keys | Lines | None = None
    ) -> Event:
        """Hand on what comes until the event ``until`` (or a refusal, or the end); that event.

        ``terminal``: the program has one of its own, which is to be as large as ours. ``typed``: what a person types.
        """
        if terminal or typed is not None:
            event = self._wait_for(Started)  # by then the supervisor has left our process group (SIGTTOU)
            if not isinstance(event, Started):
                return event
            if typed is not None:
                typed.started(event.pid)
        if not terminal and typed is None:
            return self._wait_for(until)
        heard = (*((signal.SIGWINCH,) if terminal else ()), *(typed.heard if typed is not None else ()))
        with typed or nullcontext(), _noticed(heard) as notices:
            return self._relay(until, typed, notices, terminal=terminal)

    def _wait_for(self, until: type[Event]) -> Event:
        while True:
            event = self._next()
            if isinstance(event, (until, Ended, Refused)):
                return event

    def _next(self) -> Event | None:
        """Take one message; an event, or None for output."""
        while not self._incoming.poll(PAUSE):
            self._let_go_if_nobody_acts()
        said = self.link.take()
        if said is None and self.link.fileno() != self._heard:  # it was asked for once more
            self._incoming.unregister(self._heard)
            self._hear()
        return self._hand_on(said)

    def _hear(self) -> None:
        self._heard = self.link.fileno()
        self._incoming.register(self._heard, select.POLLIN)

    def _hand_on(self, said: Event | Output | None) -> Event | None:
        """Hand on a message; an event is returned, too."""
        if said is None:
            return None
        if not isinstance(said, Output):
            self.on_event(said)
            return said
        if self.on_output is not None:
            self._writing_since = time.monotonic()
            self.on_output(said.stream, said.data)
            self._writing_since = None
        return None

    def _let_go_if_nobody_acts(self) -> None:
        """Let the caller go where its supervisor is stopped and so acts on no signal: the third one raises LetGo.

        A program may have stopped the supervisor. One that is not stopped gets some time more. Keys count too, but they
        may be the program's: only where the supervisor is stopped.
        """
        if self.asked.insists or self._typed >= INSIST:
            what = self.what or self.link.id or "The container"
            self.asked.let_go_of(self.supervisors(), what, "" if self.what else self.link.id, wait=False)

    def _let_go_if_nobody_reads(self, number: int) -> None:
        """Let go, in a signal's handler, if nobody reads: raise LetGo.

        A writer into a pipe that is full, and stays so, can be freed from nowhere else.
        """
        if self.asked.is_held_by_a_reader(self._writing_since):
            let_go = LetGo(self.what or self.link.id, "" if self.what else self.link.id, (), None, unread=True)
            let_go.signal = number
            raise let_go

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Pass what is sent to this process on to the container: SIGINT, SIGKILL on the second, and all others.

        Only what would have ended us is passed on: what our caller ignored stays ignored, and what this process has
        a handler for is its own. Main thread only. In a notebook: SIGINT only.
        """
        if not in_main_thread():
            yield
            return

        def interrupt(number: int, _: object) -> None:
            self.link.signal(self.asked.interrupt())
            self._let_go_if_nobody_reads(number)

        def hand_on(number: int, _: object) -> None:
            if number in _ENDING:
                self.asked.ask()
            self.link.signal(number)
            self._let_go_if_nobody_reads(number)

        old = {}
        if not is_ignored(signal.SIGINT):
            old[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
        if "ipykernel" not in sys.modules:
            for number in signal.valid_signals() - _OUR_OWN - {signal.SIGINT}:
                if signal.getsignal(number) == signal.SIG_DFL:
                    old[number] = signal.signal(number, hand_on)
            if signal.SIGCONT in old:
                signal.siginterrupt(signal.SIGCONT, False)  # who asks for the terminal's mode asks on (tcsetattr(3))
        try:
            yield
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)

    def _relay(self, until: type[Event], typed: Keys | Lines | None, notices: int, *, terminal: bool) -> Event:
        """Pass what is typed on to the container, window sizes too, until the end."""
        while True:
            ready = _wait(self.link.fileno(), notices, typed)
            if notices in ready:
                self._heed(os.read(notices, 64), typed, terminal=terminal)
            if typed is not None:
                typed.go_on(ready)
                self._typed = typed.interrupts
            if self.link.fileno() in ready:
                event = self._hand_on(self.link.advance(ready))
                if isinstance(event, (until, Ended, Refused)):
                    return event
            else:
                self._let_go_if_nobody_acts()

    def _heed(self, notices: bytes, typed: Keys | Lines | None, *, terminal: bool) -> None:
        """Act on a notice: the window has another size, or this process is to be stopped, or goes on."""
        if typed is not None:
            typed.heed(notices)
        if terminal:
            self.link.resize(*terminal_size())


@contextmanager
def _noticed(heard: Sequence[int]) -> Iterator[int]:
    """Give a descriptor on which each of these signals becomes a byte; outside the main thread none comes."""
    notices, notices_in = os.pipe()
    os.set_blocking(notices_in, False)

    def notice(number: int, _: object) -> None:
        with suppress(BlockingIOError):
            os.write(notices_in, bytes((number,)))

    old = {}
    if in_main_thread():
        wanted = [number for number in heard if signal.getsignal(number) != signal.SIG_IGN]
        old = {number: signal.signal(number, notice) for number in wanted}
    try:
        yield notices
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        os.close(notices)
        os.close(notices_in)


def _wait(sock: int, notices: int, typed: Keys | Lines | None) -> dict[int, int]:
    """Return the descriptors that are ready, each with its events (poll(2); select(2) knows none from 1,024 on)."""
    waited = select.poll()
    wanted = typed.waits_for() if typed is not None else {}
    for fd, events in (wanted | {notices: select.POLLIN, sock: select.POLLIN}).items():
        waited.register(fd, events)
    rest = typed.rests() if typed is not None else None
    return dict(waited.poll(PAUSE if rest is None else min(rest * 1000, PAUSE)))
