"""What the sandbox runs for the hidden requirements of M2.4. Each scene is a referee (referee.py)."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from udock_lab.grading.referee import in_child, out_of_reach, time_is_up
from udock_lab.grading.tablewatch import Call, Conditions, TableWatch, content, left_in, make_calls

__all__ = ["again", "modes", "rooms"]

Load = Callable[[], list[Callable[..., object]]]


def modes(
    load: Load, *, seconds: float, table: bytes, calls: Sequence[Call], modes: Sequence[tuple[int, int]]
) -> list[list[Any]]:
    """Look at the table's permissions from stop to stop, under different umasks.

    Returns ``[call, mode, modes that were seen, whether the table has changed, stepped]``.
    """
    out_of_reach()
    watch = TableWatch(load, "", seconds)
    found: list[list[Any]] = []
    for mode, umask in modes:
        for call in calls:
            told = watch.steps(table, call, Conditions(mode=mode, umask=umask))
            seen = [mode for mode, _ in groupby(mode for _, _, mode, _ in told["stops"])]
            if time_is_up(told["status"]):
                return found
            found.append([call[0], mode, seen, told["stops"][0][1] != told["stops"][-1][1], told["stepped"]])
    return found


def rooms(load: Load, *, seconds: float, table: bytes, jobs: Sequence[tuple[Call, int]]) -> list[list[Any]]:
    """Make each call with room for so many bytes in a file (0: none; -1: any).

    Returns what lies beside the table then, and whether the table has changed.
    """
    out_of_reach()
    found: list[list[Any]] = []
    for at, (call, room) in enumerate(jobs):
        home = os.path.abspath(f"home{at}")
        os.mkdir(home)
        db = f"{home}/containers.db"
        with open(db, "wb") as file:
            file.write(table)
        child = in_child(
            lambda db=db, call=call: make_calls(load, db, [call]),  # type: ignore[misc]
            seconds=seconds,
            before=lambda room=room: _leave(room),  # type: ignore[misc]
        )
        if time_is_up(child.status):
            return []
        found.append([left_in(home), content(db) != table.decode("latin-1")])
    return found


def _leave(room: int) -> None:
    if room >= 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))


def again(load: Load, *, secret: str, seconds: float, table: bytes, fewer: bytes, update: Call) -> dict[str, Any]:
    """Kill an update at each of its stops; the table has become shorter when the next one comes.

    Returns also what an update makes of the shorter table where nobody was killed.
    """
    out_of_reach()
    watch = TableWatch(load, secret, seconds)
    undisturbed = watch.once_more(update, fewer)
    if undisturbed == fewer.decode("latin-1"):
        return {"stepped": True, "undisturbed": undisturbed, "after": []}
    steps = watch.steps(table, update)
    return {
        "stepped": steps["stepped"],
        "undisturbed": undisturbed,
        "after": watch.after_kills(table, update, steps, fewer),
    }
