"""Whoever asked for a run, at the other end of its socket. They may be slow, and they may go at any moment."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable

from udock_lab.model.plain import MalformedError
from udock_lab.runtime.protocol import Event, Word, from_caller, output, to_caller
from udock_lab.wire.framing import hang_up, receive
from udock_lab.wire.loop import READABLE, WRITABLE, Loop
from udock_lab.wire.outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket

__all__ = ["Caller"]


class Caller:
    """Tells them the news and passes output on; what they have not taken yet waits.

    ``said`` is called with what they say, ``waits`` with whether something waits for them, when that has changed, and
    ``gone`` once, when they have gone.
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket,
        *,
        said: Callable[[Word], None],
        waits: Callable[[bool], None],
        gone: Callable[[], None],
    ) -> None:
        self._loop, self._sock = loop, sock
        self._said, self._waits, self._gone = said, waits, gone
        self._outbox = Outbox(sock, _framed)
        self._is_waiting = False
        self.is_there = True

    def listen(self) -> None:
        """Hear them, from the next turn of the loop on."""
        self._sock.setblocking(False)
        self._loop.watch(self._sock, self._on_event)

    def tell(self, news: Event) -> None:
        """Tell them, or keep it for them; nothing where they have gone."""
        if self.is_there:
            self._outbox.tell(to_caller(news))
            self._send()

    def pass_on(self, stream: bytes, data: bytes) -> None:
        """Pass on output of the container."""
        if self.is_there:
            self._outbox.add(stream, data)
            self._send()

    @property
    def has_all(self) -> bool:
        """Nothing waits for them."""
        return not self._outbox.size

    def hang_up(self) -> None:
        """Close the socket, with nothing unread in it."""
        if self.is_there:
            self._loop.forget(self._sock)
            hang_up(self._sock)
            self._part()

    def _send(self) -> None:
        if not self._outbox.flush():
            self._lose()
        elif self._is_waiting == self.has_all:
            self._is_waiting = not self.has_all
            self._loop.change(self._sock, READABLE | WRITABLE if self._is_waiting else READABLE)
            self._waits(self._is_waiting)

    def _on_event(self, events: int) -> None:
        """Send more where there is room; take what they say; or hear of their end."""
        if events & WRITABLE:
            self._send()
        if not self.is_there or not events & ~WRITABLE:
            return
        try:
            data, fds = receive(self._sock)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        for fd in fds:
            os.close(fd)
        try:
            word = from_caller(data) if data else None
        except MalformedError:  # nobody of ours says that
            word = None
        if word is None:
            self._lose()
        else:
            self._said(word)

    def _lose(self) -> None:
        """Close the socket of callers who have gone; what waited for them is of no use."""
        gone = self._gone
        self._loop.close(self._sock)
        self._part()
        gone()

    def _part(self) -> None:
        """Hold nothing any more, whoever listens to us included: a launcher collects no garbage."""
        self.is_there = False
        self._outbox = Outbox(self._sock, _framed)
        self._said = self._waits = self._gone = _nothing


def _nothing(*_: object) -> None:
    """Do nothing."""


def _framed(stream: Hashable, data: bytes) -> bytes:
    assert isinstance(stream, bytes)
    return output(stream, data)
