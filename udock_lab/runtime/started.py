"""A run that goes on while its caller does other things: what ``Runtime.start`` gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import TYPE_CHECKING

from udock_lab.errors import UsageError
from udock_lab.runtime.client.inloop import Follower
from udock_lab.runtime.given import arguments

if TYPE_CHECKING:
    from udock_lab.model import RunResult
    from udock_lab.runtime.client.link import Link
    from udock_lab.runtime.protocol import Ended, Event, Output, Refused

__all__ = ["StartedRun"]

_PAUSE = 0.2  # seconds for which an interrupt may go unnoticed by who waits


class StartedRun:
    """A run in the foreground that nobody has to wait for.

    ``await run`` gives its :class:`RunResult`, as often as it is asked for; who stops waiting does not stop the run.
    ``stdout`` and ``stderr`` are what it has written so far (the first MiB each). It ends with its caller: with the
    event loop, with this process.
    """

    def __init__(
        self,
        follower: Follower,
        on_said: Callable[[Event | Output], None],
        conclude: Callable[[Ended | Refused], RunResult],
        held: ExitStack,
    ) -> None:
        self._follower = follower
        self._link: Link = follower.link
        self._task = asyncio.create_task(self._follow(on_said, conclude, held))
        self._task.add_done_callback(lambda _: held.close())  # also where it was cancelled before its first turn

    async def _follow(
        self,
        on_said: Callable[[Event | Output], None],
        conclude: Callable[[Ended | Refused], RunResult],
        held: ExitStack,
    ) -> RunResult:
        with held:
            return conclude(await self._follower.follow(on_said))

    def __await__(self) -> Generator[object, None, RunResult]:
        """Wait for the end. Raise what ``Runtime.run`` raises."""
        return self._end().__await__()

    async def _end(self) -> RunResult:
        """Wait for the end, and look up now and then.

        A kernel that is interrupted while its loop sleeps takes notice when the loop wakes (ipykernel 7.4, tornado 6.6:
        their signal handler does not wake it).
        """
        while not self._task.done():
            await asyncio.wait({self._task}, timeout=_PAUSE)
        return self._task.result()

    def __repr__(self) -> str:
        state = "ended" if self.done else "running" if self.id else "starting"
        return f"<{self.id or 'run'}: {state}>"

    @property
    def id(self) -> str:
        """The container's id; empty until it has started."""
        return self._link.id

    @property
    def stdout(self) -> bytes:
        """What it has written there so far, or the first MiB of it."""
        return bytes(self._link.stdout)

    @property
    def stderr(self) -> bytes:
        """What it has written there so far, or the first MiB of it."""
        return bytes(self._link.stderr)

    @property
    def done(self) -> bool:
        """It has ended, and ``await`` returns at once."""
        return self._task.done()

    @property
    def result(self) -> RunResult | None:
        """The result, or None while it runs and where there is none: ``await`` says why."""
        over = self.done and not self._task.cancelled() and self._task.exception() is None
        return self._task.result() if over else None

    def type(self, keys: str | bytes) -> None:
        """Write to its standard input, as if typed; at once, or as the program takes what was typed before.

        UsageError where the run was not started with ``interactive=True`` and without ``stdin``.
        """
        if self._link.input is None:
            raise UsageError(
                "Nothing can be typed into this run.", "Start it with interactive=True, and without stdin."
            )
        if not isinstance(keys, str | bytes):
            arguments().refuse("keys", keys, "text or bytes", 'For instance "yes\\n".')
        self._link.type(keys.encode() if isinstance(keys, str) else keys)
        self._follower.look_again()

    def end_input(self) -> None:
        """Let the program see the end of its input; where it has a terminal, by the key for that (Ctrl-D)."""
        if self._link.input is not None:
            self._link.input.end()

    def signal(self, signal: int | str) -> None:
        """Send a signal, by number or name, to the container's process group."""
        self._link.signal(int(arguments().signal_number("signal", signal)))

    def resize(self, rows: int, columns: int) -> None:
        """Give its terminal another size."""
        whole = arguments().whole_number
        self._link.resize(
            whole("rows", rows, "a number of lines", "24", most=65535),
            whole("columns", columns, "a number of characters", "80", most=65535),
        )
