"""One run as its caller sees it: messages that come, words that go, and what is typed. Nothing in here blocks.

A link knows no terminal, no signal handler and no event loop. A driver waits for the descriptors of
:meth:`Link.waits_for` in its own way, and calls :meth:`Link.advance` with those that are ready. There are two::

    attach.py    the caller waits: a terminal, a cell of %mdock run (poll(2), Ctrl-C, window size, keys)
    inloop.py    the caller does other things: a notebook's kernel, or any program with an event loop of asyncio
"""

from __future__ import annotations

import fcntl
import os
import select
from _socket import MSG_DONTWAIT
from collections.abc import Callable, Mapping
from contextlib import closing, suppress

from udock_lab.errors import LauncherDied
from udock_lab.runtime.protocol import (
    Event,
    Output,
    Refused,
    Signal,
    Taken,
    WindowSize,
    Word,
    encode,
    from_supervisor,
)
from udock_lab.wire.framing import pair, receive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

__all__ = ["LONGEST_LINE", "OUTPUT_KEPT", "OVER", "Input", "Link"]

OUTPUT_KEPT = 1 << 20  # bytes of each output
LONGEST_LINE = 4096  # bytes; the longest that a terminal takes (termios(3), canonical mode)
_CONTROL_D = b"\x04"
OVER = select.POLLHUP | select.POLLERR | select.POLLNVAL  # of poll(2): the other end is closed


class Input:
    """A pipe for what is typed. ``far_end`` goes to whoever reads it.

    ``keys``: it leads to a terminal. It is short then, so that keys for which the program has no room stay where they
    were typed, and its end is a key, too.
    """

    def __init__(self, *, keys: bool = False) -> None:
        self.far_end, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        self._keys = keys
        self._newline = True  # what was typed so far is whole lines
        if keys:
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, LONGEST_LINE)
        self._unsent = b""
        self._ends = False

    def fileno(self) -> int:
        """Return our end, -1 once it is closed."""
        return self._pipe

    def hand_over(self) -> None:
        """Close the far end: its reader has its own by now, and with ours open we would not see that it closes it."""
        if self.far_end >= 0:
            os.close(self.far_end)
            self.far_end = -1

    def write(self, data: bytes) -> None:
        """Pass this on, now or as the reader takes what was written before. What nobody reads any more is dropped."""
        if data and self._pipe >= 0 and not self._ends:
            self._newline = data.endswith(b"\n")
            self._unsent += data
            self._feed()

    def end(self) -> None:
        """Let the reader see the end of its input after what was written."""
        if self._keys:
            self.write(_CONTROL_D if self._newline else _CONTROL_D * 2)  # the first one ends the line only
        self._ends = True
        if not self._unsent:
            self.close()

    def close(self) -> None:
        """Close the pipe now: the reader sees the end of its input."""
        self.hand_over()
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        self._unsent = b""

    @property
    def is_behind(self) -> bool:
        """Something that was written waits for room."""
        return bool(self._unsent)

    def waits_for(self) -> dict[int, int]:
        """Return our end and what it is to become ready for (poll(2)); the end of its last reader is told anyway."""
        if self._pipe < 0:
            return {}
        return {self._pipe: select.POLLOUT if self._unsent else 0}

    def advance(self, ready: Mapping[int, int]) -> None:
        """Pass on what can be passed on now; close it when its last reader has gone."""
        events = ready.get(self._pipe, 0)
        if events & OVER:
            self.close()
        elif events:
            self._feed()

    def _feed(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._pipe, self._unsent) :] if self._unsent else b""
        except BlockingIOError:
            return
        except OSError:  # nobody reads any more
            self.close()
        if self._ends and not self._unsent:
            self.close()


class Link:
    """One run seen by its caller. ``stdout`` and ``stderr`` keep the first ``OUTPUT_KEPT`` bytes.

    ``input``: a pipe through which the caller types, where it does.
    """

    def __init__(self, input: Input | None = None) -> None:
        self.input = input
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.id = ""  # of the container, once it is known
        self.passed_on: set[int] = set()  # signals that were meant for the container
        self._may_ask_again = False
        self._before: socket | None = None  # the socket of a request that nobody took
        self._sock, self._far_end = pair()

    def ask(self, request: Callable[[int], bool]) -> None:
        """Have it asked for: ``request`` gets the number of our socket's far end, and returns whether Taken follows.

        Where its taker dies before that, it is called once more.
        """
        self._request = request
        with closing(self._far_end) as far_end:
            self._may_ask_again = request(far_end.fileno())

    def close(self) -> None:
        """Let go. Where the run has not ended, its supervisor ends it: its caller has gone."""
        for sock in (self._far_end, self._sock, self._before):
            if sock is not None:
                sock.close()
        if self.input is not None:
            self.input.close()

    # --- what comes

    def fileno(self) -> int:
        """Return the socket on which messages come. It is another one after a request was asked once more."""
        return self._sock.fileno()

    def waits_for(self) -> dict[int, int]:
        """Return descriptors and what they are to become ready for (poll(2))."""
        waits = {self._sock.fileno(): select.POLLIN}
        return waits | self.input.waits_for() if self.input is not None else waits

    def advance(self, ready: Mapping[int, int]) -> Event | Output | None:
        """Do what can be done now. Return the message that came, if one is for the caller; the next one stays ready.

        ``ready``: descriptors of :meth:`waits_for` with what happened there. Raise LauncherDied where the supervisor
        has gone without a last word.
        """
        if self.input is not None:
            self.input.advance(ready)
        return self.take() if self._sock.fileno() in ready else None

    def take(self) -> Event | Output | None:
        """Take the message that came, as :meth:`advance` does, once the socket is ready."""
        data, _ = receive(self._sock)
        if not data:
            self._ask_again()
            return None
        self._may_ask_again = False
        said = from_supervisor(data)
        if isinstance(said, Taken):
            return None
        if isinstance(said, Output):
            kept = self.stdout if said.stream == "stdout" else self.stderr
            if len(kept) < OUTPUT_KEPT:
                kept += said.data[: OUTPUT_KEPT - len(kept)]
        elif not isinstance(said, Refused):
            self.id = said.id
        return said

    def _ask_again(self) -> None:
        """Ask another launcher where the first one was gone before it took the request; else raise LauncherDied."""
        if not self._may_ask_again:
            raise LauncherDied(
                "The process that supervised this container is gone.",
                "See what became of the container with: mdock ps",
            )
        self._before = self._sock  # open for now, so that the new one has another number: whoever waits can tell
        self._sock, self._far_end = pair()
        for number in tuple(self.passed_on):
            self.signal(number)
        self.ask(self._request)
        self._may_ask_again = False  # once

    # --- what goes

    def signal(self, number: int) -> None:
        """Ask the supervisor to signal the container's process group; nothing where it has ended."""
        self.passed_on.add(number)
        self._say(Signal(number=number))

    def resize(self, rows: int, columns: int) -> None:
        """Give the container's terminal another size; nothing where it has none."""
        self._say(WindowSize(rows=rows, columns=columns))

    def _say(self, word: Word) -> None:
        with suppress(OSError):  # also a queue that is full, of a supervisor that was stopped: nobody waits for that
            self._sock.send(encode(word), MSG_DONTWAIT)

    def type(self, data: bytes) -> None:
        """Pass on what was typed, if this run has an input."""
        if self.input is not None:
            self.input.write(data)
