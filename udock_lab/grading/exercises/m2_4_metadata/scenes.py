"""What the sandbox runs for M2.4. Each scene is a referee: the answer is loaded in children only."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

from udock_lab.grading.referee import in_child, out_of_reach, time_is_up
from udock_lab.grading.tablewatch import Call, Conditions, TableWatch, content, make_calls

__all__ = ["SECONDS", "calls", "changing"]

SECONDS = 2.0  # of a processor, for what one child does
_PATIENCE = 2  # children that go on for ever
Load = Callable[[], list[Callable[..., object]]]


def calls(load: Load, *, zone: str, seconds: float, jobs: Sequence[tuple[str, bytes | None, list[Call], int]]) -> Any:
    """Make the calls of each job in a process of its own, on a table of its own.

    A job: its name, the table before (None: there is none), the calls, room for so many bytes in a file (0: any).
    Returns ``{name: [table, what the calls said, wait status]}``; nothing of jobs that come when time was up twice.
    """
    _begin(zone)
    os.mkdir("tmp")
    os.environ["TMPDIR"] = os.path.abspath("tmp")
    found: dict[str, list[Any]] = {}
    for name, data, wanted, room in jobs:
        if sum(time_is_up(status) for _, _, status in found.values()) == _PATIENCE:
            break
        os.mkdir(name)
        db = os.path.abspath(f"{name}/containers.db")
        if data is not None:
            with open(db, "wb") as file:
                file.write(data)
        child = in_child(
            lambda db=db, wanted=wanted: make_calls(load, db, wanted),  # type: ignore[misc]
            seconds=seconds,
            before=lambda room=room: _leave(room),  # type: ignore[misc]
        )
        found[name] = [content(db), child.said, child.status]
    return found


def _begin(zone: str) -> None:
    out_of_reach()
    os.environ["TZ"] = zone
    time.tzset()


def _leave(room: int) -> None:
    """Leave room for so many bytes in a file: a write that goes on beyond them is cut short, then fails."""
    if room:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))


def changing(
    load: Load, *, zone: str, secret: str, seconds: float, table: bytes, torn: bytes, save: Call, update: Call
) -> Any:
    """Look on while the table is changed, then kill at each stop."""
    _begin(zone)
    watch = TableWatch(load, secret, seconds)
    seen: dict[str, Any] = {}
    for run, data, call, conditions in (
        ("saving", table, save, Conditions()),
        ("joining", torn, save, Conditions()),
        ("updating", table, update, Conditions()),
        ("bare", table, update, Conditions(bare=True)),
    ):
        seen[run] = watch.steps(data, call, conditions)
        if time_is_up(seen[run]["status"]):
            return {"hangs": call[0], **seen}
    kills = {
        who: watch.kills(table, call, seen[run])
        for who, call, run in (("save", save, "saving"), ("update", update, "updating"))
    }
    return {**seen, "kills": kills, "texts": watch.texts}
