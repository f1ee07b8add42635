"""The caller goes on: a link (link.py) followed from an event loop of asyncio, such as the one of a notebook's kernel.

Nothing here blocks, and nothing handles a signal. While the loop is held up by something else, messages wait: first
at the supervisor, and when a lot has come together the program waits, too.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable, Mapping

from udock_lab.errors import UsageError
from udock_lab.runtime.client.link import Link
from udock_lab.runtime.protocol import Ended, Event, Output, Refused

__all__ = ["Follower", "running_loop"]


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the loop that runs in this thread; UsageError where none does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(
            "start needs an event loop that runs, as in a notebook or in asyncio.run(...).",
            "Without one, wait for the end: Runtime().run(...)",
        ) from None


class Follower:
    """Hands on what comes through a link, in turns of the loop."""

    def __init__(self, link: Link, loop: asyncio.AbstractEventLoop) -> None:
        self.link = link
        self._loop = loop
        self._turn: asyncio.Future[None] | None = None

    async def follow(self, on_said: Callable[[Event | Output], None]) -> Ended | Refused:
        """Hand on each message until the last one; return that. Raise LauncherDied."""
        while True:
            said = self.link.advance(await self._ready())
            if said is not None:
                on_said(said)
            if isinstance(said, Ended | Refused):
                return said

    def look_again(self) -> None:
        """Wait for other descriptors from now on: something was typed that could not be passed on at once."""
        if self._turn is not None and not self._turn.done():
            self._turn.set_result(None)

    async def _ready(self) -> Mapping[int, int]:
        """Wait until something can be done; return the descriptors that are ready, with what happened there."""
        turn = self._turn = self._loop.create_future()
        ready: dict[int, int] = {}

        def happened(fd: int, events: int) -> None:
            ready[fd] = events
            self.look_again()

        waited = self.link.waits_for()
        for fd, events in waited.items():
            if events & select.POLLIN:
                self._loop.add_reader(fd, happened, fd, select.POLLIN)
            if events & select.POLLOUT:
                self._loop.add_writer(fd, happened, fd, select.POLLOUT)
        try:
            await turn
        finally:
            for fd in waited:
                self._loop.remove_reader(fd)
                self._loop.remove_writer(fd)
        return ready
