"""A clock that ticks only while somebody looks: one task on the kernel's own loop, gone when nobody does.

The browser renews a view's lease now and then and gives it up when the view goes. A browser that vanishes renews
nothing, so the task ends by itself. While a cell runs, the loop is the cell's: the clock then stands still.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

__all__ = ["LEASE", "TASK_NAME", "Clock"]

LEASE = 60.0  # seconds that a view counts as looked at after its last sign of life
TASK_NAME = "udock-panel"


class Clock:
    """Calls ``look`` in a thread every ``interval`` seconds while at least one view is shown.

    Made in a cell, it takes the loop that runs there. Without a loop (plain Python) it never ticks.
    """

    def __init__(self, look: Callable[[], None], interval: float) -> None:
        self._look = look
        self._interval = interval
        self._views: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()

    def shown(self, view: str) -> None:
        """Count a view that is on the page (or still is). May be called from any thread."""
        self._views[view] = time.monotonic() + LEASE
        self._on_loop(self._start)

    def hidden(self, view: str) -> None:
        """Count a view no longer: it has left the page."""
        self._views.pop(view, None)
        if not self._views:
            self.stop()

    def stop(self) -> None:
        """Tick no more, whoever looks."""
        self._views.clear()
        self._on_loop(self._cancel)

    def _on_loop(self, do: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the kernel is ending and its loop is closed
                self._loop.call_soon_threadsafe(do)

    def _start(self) -> None:
        if self._views and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run(), name=TASK_NAME)

    def _cancel(self) -> None:
        if self._task is not None and not self._views:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        while self._anybody():
            await asyncio.to_thread(self._look)
            await asyncio.sleep(self._interval)

    def _anybody(self) -> bool:
        now = time.monotonic()
        self._views = {view: until for view, until in list(self._views.items()) if until > now}
        return bool(self._views)
