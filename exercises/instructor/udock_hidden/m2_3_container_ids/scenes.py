"""The hidden half of M2.3 in the sandbox: a torn line, and tables that cannot be read or written."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Any

from udock_lab.grading.inside import said
from udock_lab.grading.locks import content, is_free, keeping, put, settled
from udock_lab.grading.workers import Functions, Tell, Workers
from udock_lab.linux.capabilities import drop_capabilities

__all__ = ["failing", "torn"]

Load = Callable[[], Functions]


def torn(load: Load, *, text: str) -> dict[str, Any]:
    """Return what allocate makes of a table whose last line was torn off."""
    workers = Workers(load)
    put("torn.db", text)
    one = workers.start(in_torn, "torn.db")
    settled(workers, one)
    told = {"done": one.words.get("done"), "pid": one.pid, "after": content("torn.db"), "gone": one.gone}
    workers.end()
    return told


def in_torn(tell: Tell, functions: Functions, db: str) -> None:
    tell(done=said(keeping(functions[1]), db))


def failing(load: Load, *, text: str) -> dict[str, Any]:
    """Return what allocate says of tables that fail under the lock, and whether the lock is free then.

    One is a folder, one may be written and not read (the process has no capability that would let it), one cannot grow
    (setrlimit(2), RLIMIT_FSIZE).
    """
    workers = Workers(load)
    os.mkdir("folder.db")
    for name in ("shut.db", "full.db"):
        put(name, text)
    os.chmod("shut.db", 0o200)
    ones = {db: workers.start(in_failing, db, limit, before=before) for db, limit, before in (
        ("folder.db", 0, None), ("shut.db", 0, drop_capabilities), ("full.db", len(text), None)
    )}  # fmt: skip
    workers.finished(*ones.values(), seconds=2)
    told = {
        db: {"done": one.words.get("done"), "free": is_free(f"{db}.lock"), "gone": one.gone} for db, one in ones.items()
    }
    workers.end()
    return told


def in_failing(tell: Tell, functions: Functions, db: str, most: int) -> None:
    if most:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    tell(done=said(keeping(functions[1]), db))
