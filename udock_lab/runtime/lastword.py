"""The moment between the end of a process and its record: who is about to write it, and how long to wait for that."""

from __future__ import annotations

import time
from contextlib import suppress

from udock_lab.errors import MdockError, NotFound
from udock_lab.linux.process import is_same_process, stopped
from udock_lab.model import Record
from udock_lab.runtime.client.connection import supervisors_of
from udock_lab.runtime.state import containers
from udock_lab.runtime.state.eventlog import last_exit
from udock_lab.runtime.state.extras import Identity, Kept, load_spec
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.lock import locked

__all__ = ["await_last_word", "end_of_removed", "spec_of_the_newest", "stopped_supervisors"]

_DAY, _ZONE = 86400, 900  # seconds
_FORMAT = "%Y-%m-%dT%H:%M:%S"


def await_last_word(home: Home, record: Record, kept: Kept, patience: float = 0.5) -> Record:
    """Return the record once its end is written, or after ``patience`` seconds.

    The process is gone and its supervisor lives: it is about to write the end.
    """
    deadline, goes = time.monotonic() + patience, kept.asked.remove
    if kept.unknown:  # its folder is about to be removed, and its record after it
        _let_its_writer_finish(home, deadline)
    while _supervisor_lives(kept.identity):
        try:
            record = containers.find(home, record.id)
        except NotFound:
            return end_of_removed(home, record, max(patience, 1.0))
        if record.end_time is not None and not goes:
            break
        if time.monotonic() > deadline or stopped_supervisors(kept.identity):
            break
        if record.end_time is not None:  # its removal follows at once; if it is there after that, it stays
            _let_its_writer_finish(home, deadline)
            goes = False
        else:
            time.sleep(0.005)
    return record


def end_of_removed(home: Home, record: Record, patience: float = 1.0) -> Record:
    """Return the record of a container that is removed at its end (``run --rm``).

    The event log knows it, a moment later. ``patience`` is in seconds.
    """
    deadline = time.monotonic() + patience
    _let_its_writer_finish(home, deadline)
    while (end := last_exit(home, record.id)) is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return containers.ended(record, end[1], end[0], end[2]) if end else record


def _let_its_writer_finish(home: Home, deadline: float) -> None:
    """Wait for whoever writes an end: it has the lock until the container is removed and the event log has it, too."""
    with suppress(MdockError), locked(home, timeout=max(0.0, deadline - time.monotonic())):
        pass


def spec_of_the_newest(home: Home, record: Record) -> Kept:
    """Return the spec; a program may have ended some milliseconds before its spec was written down."""
    patience = time.monotonic() + 0.3
    kept = load_spec(home, record.id)
    while kept.unknown and _started_lately(record) and time.monotonic() < patience:
        time.sleep(0.005)
        kept = load_spec(home, record.id)
    return kept


def stopped_supervisors(identity: Identity) -> list[int]:
    """Return those that should write this container's end, and cannot because a signal stopped them."""
    pid = identity.supervisor
    return stopped(supervisors_of(pid)) if pid is not None and _supervisor_lives(identity) else []


def _supervisor_lives(identity: Identity) -> bool:
    """Return whether the very supervisor of this container is still there.

    Neither a zombie nor a reused pid will write the end.
    """
    pid, ticks, boot = identity.supervisor, identity.supervisor_ticks, identity.boot_id
    return pid is not None and ticks is not None and boot is not None and is_same_process(pid, ticks, boot)


def _started_lately(record: Record) -> bool:
    """Return whether it started within the last two seconds, by the wall clock, which is all that a record has.

    In which zone it was written is not said, so any quarter of an hour may be this one (zones differ by quarters).
    """
    now = time.time()
    earliest, latest = (time.strftime(_FORMAT, time.localtime(now + days * _DAY)) for days in (-2, 2))
    if not earliest < record.start_time < latest:  # ISO 8601 sorts as time does, and strptime takes long
        return False
    with suppress(ValueError, OverflowError):
        ago = now - time.mktime(time.strptime(record.start_time, _FORMAT))
        return abs(ago) < 2 * _DAY and min(ago % _ZONE, -ago % _ZONE) < 2
    return False
