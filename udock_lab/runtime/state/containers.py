"""Two-phase records and state transitions: what happens to ``containers.db``.

One line a container::

    container_id|pid|image_name|status|start_time|end_time|exit_code

Phase 1 appends it as ``running``, after fork and before the program's first instruction; phase 2 fills in
the end. A line that does not parse is kept byte for byte. The C original writes ``-1`` and spaces where we
leave fields empty: both are read.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from contextlib import suppress

from udock_lab.errors import Conflict, NotFound, UsageError
from udock_lab.model import Record, Status
from udock_lab.runtime.state.drafts import Draft
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.ids import follow, raise_mark
from udock_lab.runtime.state.tables import (
    Written,
    append_line,
    fingerprint,
    read_lines,
    replace_last_match,
    replace_lines,
)

__all__ = [
    "append",
    "begin",
    "check_id",
    "ended",
    "find",
    "finish",
    "format_record",
    "has_ended",
    "look_ahead",
    "now",
    "parse_record",
    "read_all",
    "remove",
    "set_intent",
    "take_back",
]

_ID = re.compile(rb"c[1-9][0-9]{0,17}\Z")
# A line as we spell it.
_PLAIN = re.compile(
    r"(c[1-9][0-9]{0,17})\|([0-9]{1,9})\|([A-Za-z0-9_-]*)\|(running|exited|stopped|killed)"
    r"\|([0-9][0-9T:.+-]*)\|([0-9][0-9T:.+-]*)?\|([0-9]{0,9})"
)
_HIGHEST_PID = 1 << 31  # pid_t has 32 bits; no kernel gives this many
_STATUSES = {status.value: status for status in Status}


def now() -> str:
    """Return local time, ISO 8601, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def check_id(text: str) -> str:
    """Return ``text`` if it is spelled like a container id; UsageError says how ids look."""
    if not _ID.match(text.encode("utf-8", "replace")):
        meant = re.fullmatch(r"[cC]?0*([1-9][0-9]{0,17})", text, re.ASCII)
        guess = f"Did you mean 'c{meant[1]}'?  " if meant else ""
        raise UsageError(
            f"{text!r} is not a container id.", f"{guess}Ids look like c1, c2, c3; list them with: mdock ps"
        )
    return text


def parse_record(line: bytes) -> Record | None:
    """Return the record on one line of containers.db, or None when it is not a record."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return _parse_unusual(text)
    name, pid, image, status, start_time, end_time, code = plain.groups()
    return Record(
        id=name,
        pid=int(pid),
        image=image,
        status=_STATUSES[status],
        start_time=start_time,
        end_time=end_time or None,
        exit_code=int(code) if code else None,
    )


def _parse_unusual(text: str) -> Record | None:
    """Return the record on a line that is not spelled as we spell it, or None when it is not a record."""
    fields = [field.strip() for field in text.split("|")]
    if len(fields) != 7 or not _ID.match(fields[0].encode()) or fields[3] not in _STATUSES:
        return None
    if not _is_number(fields[1]) or int(fields[1]) >= _HIGHEST_PID:
        return None
    code = fields[6]
    if code and not _is_number(code.removeprefix("-")):
        return None
    end_time = fields[5] if fields[5] not in ("", "-1", "-") else None
    return Record(
        id=fields[0],
        pid=int(fields[1]),
        image=fields[2],
        status=_STATUSES[fields[3]],
        start_time=fields[4],
        end_time=end_time,
        exit_code=int(code) if code not in ("", "-1") else None,
    )


def _is_number(text: str) -> bool:
    """Return whether these are digits that an ``int`` of any language can hold.

    Python itself refuses more than 4,300 of them.
    """
    return len(text) <= 18 and text.isascii() and text.isdigit()


def format_record(record: Record) -> bytes:
    """Return the line (with its newline) that says this record."""
    code = "" if record.exit_code is None else str(record.exit_code)
    return (
        f"{record.id}|{record.pid}|{record.image}|{record.status.value}|"
        f"{record.start_time}|{record.end_time or ''}|{code}\n"
    ).encode()


def read_all(home: Home) -> tuple[list[Record], list[bytes]]:
    """Return every record in the order of the file, and the lines that are none."""
    records, corrupt = [], []
    for line in read_lines(home.containers_db):
        record = parse_record(line)
        if record is not None:
            records.append(record)
        elif line.strip():
            corrupt.append(line)
    return records, corrupt


def find(home: Home, container_id: str) -> Record:
    """Return the record with this id (the last one, should the file hold two).

    Raises NotFound with what to type next.
    """
    check_id(container_id)
    found = None
    key = container_id.encode()
    for line in read_lines(home.containers_db):
        if key in line:
            record = parse_record(line)
            if record is not None and record.id == container_id:
                found = record
    if found is None:
        raise NotFound(f"Container '{container_id}' not found", "List containers with: mdock ps")
    return found


def begin(home: Home, record: Record) -> None:
    """Write phase 1: the record exists before the program's first instruction. Lock held."""
    look_ahead(home, record, append(home, record), draft=False)


def append(home: Home, record: Record) -> Written:
    """Write phase 1, and leave the rest to :func:`look_ahead`: the program waits. Lock held."""
    return append_line(home.containers_db, format_record(record))


def look_ahead(home: Home, record: Record, written: Written, *, draft: bool) -> Draft | None:
    """Do what can follow phase 1 while the program runs: know the table, and begin phase 2. Lock held; OSError.

    No draft where others have written meanwhile.
    """
    follow(home, written, _number(record.id))
    if not draft or written[1] is None or fingerprint(os.stat(home.containers_db)) != written[1]:
        return None
    probable = ended(record, 0, now())
    return Draft(home.containers_db, written[1], format_record(record), len(format_record(probable)))


def _number(container_id: str) -> int:
    """Return the number of an id that is spelled like one."""
    return int(container_id[1:])


def finish(
    home: Home,
    container_id: str,
    exit_code: int | None,
    end_time: str,
    *,
    killed: bool | None = None,
    begun: Draft | None = None,
) -> tuple[Record | None, int]:
    """Write phase 2, the end; return the record and the old table's fd (-1: nothing to close). Lock held.

    ``stop`` and ``kill`` wrote meanwhile what they were about to do. ``killed``, whether SIGKILL ended it, says what
    came of that: None (nobody knows) takes their word. ``begun``: what :func:`look_ahead` began. No record: somebody
    removed it.
    """

    def fill_in(line: bytes) -> bytes:
        record = parse_record(line)
        if record is None or record.end_time is not None:
            return line
        status = "" if killed is None else _outcome(record.status, killed).value
        return format_record(ended(record, exit_code, end_time, status)).rstrip(b"\n")

    return _rewrite(home, container_id, fill_in, begun)


def _outcome(intent: Status, killed: bool) -> Status:
    """Return the status that came of an intent.

    A ``kill`` that came too late ended nothing; a ``stop`` may have had to kill.
    """
    if intent in (Status.STOPPED, Status.KILLED) and killed:
        return Status.KILLED
    return Status.STOPPED if intent is Status.STOPPED else Status.EXITED


def _rewrite(
    home: Home, container_id: str, change: Callable[[bytes], bytes], begun: Draft | None = None
) -> tuple[Record | None, int]:
    """Change the line of one record; the new record and the old table's fd (-1: nothing to close)."""
    changed = begun.complete(change) if begun is not None else None
    changed = changed or replace_last_match(home.containers_db, f"{container_id}|".encode(), change)
    record = None
    if changed:
        _, line, old, rewritten = changed
        follow(home, rewritten)
        record = parse_record(line)
        if record:
            return record, old
        os.close(old)  # a line that only begins like a record

    def change_its_own(line: bytes) -> bytes:
        nonlocal record
        found = parse_record(line)
        if found is None or found.id != container_id:
            return line
        line = change(line)
        record = parse_record(line)
        return line

    written = replace_lines(home.containers_db, change_its_own)  # another program may have put blanks around the id
    follow(home, written)
    return record, -1


def ended(record: Record, exit_code: int | None, end_time: str, status: str = "") -> Record:
    """Return the record with its end filled in.

    A status that ``stop`` or ``kill`` wrote stays, unless ``status`` is given: it knows better.
    """
    kept = Status.EXITED if record.status is Status.RUNNING else record.status
    return Record(
        id=record.id,
        pid=record.pid,
        image=record.image,
        status=_STATUSES.get(status, kept),
        start_time=record.start_time,
        end_time=end_time,
        exit_code=exit_code,
    )


def set_intent(home: Home, container_id: str, status: Status) -> Status:
    """Record that somebody is about to stop or kill it. Lock held; Conflict if it has ended meanwhile.

    Returns the status before, to put back where nothing came of it. A ``kill`` leaves a ``stop``'s word as it is.
    """
    before = Status.RUNNING

    def mark(line: bytes) -> bytes:
        nonlocal before
        record = parse_record(line)
        if record is None:
            return line
        if record.end_time is not None:
            raise Conflict(f"Container '{container_id}' is not running.")
        before = record.status
        if (before, status) == (Status.STOPPED, Status.KILLED):
            return line
        text = line.decode()
        fields = text.split("|")
        fields[3] = status.value
        return "|".join(fields).encode()

    record, old = _rewrite(home, container_id, mark)
    if record is None:
        raise NotFound(f"Container '{container_id}' not found", "List containers with: mdock ps")
    if old >= 0:
        os.close(old)
    return before


def take_back(home: Home, container_id: str, intent: Status, before: Status) -> None:
    """Put the status back to what it was: the signal was refused. Lock held.

    Not if the container has ended, is gone, or its record has another intent by now.
    """

    def mark(line: bytes) -> bytes:
        record = parse_record(line)
        if record is None or record.end_time is not None or record.status is not intent:
            return line
        fields = line.split(b"|")
        fields[3] = before.value.encode()
        return b"|".join(fields)

    _, old = _rewrite(home, container_id, mark)
    if old >= 0:
        os.close(old)


def remove(home: Home, ids: set[str]) -> None:
    """Drop these records; everything else stays byte for byte. Their ids are not given out again. Lock held."""
    spelled = {name.encode() for name in ids}

    def drop(line: bytes) -> bytes | None:
        name = line.partition(b"|")[0]
        if name not in spelled and name.isalnum():  # most lines; one with blanks around its id needs a closer look
            return line
        record = parse_record(line)
        return None if record is not None and record.id in ids else line

    if ids:
        with suppress(OSError):  # another program gave the id out, and the disk is full: removing makes room
            raise_mark(home, max(map(_number, ids)))
        follow(home, replace_lines(home.containers_db, drop))


def has_ended(record: Record) -> bool:
    """Return whether the record itself says so.

    ``exited`` without an end time is the C original's (we write both at once).
    """
    return record.end_time is not None or record.status is Status.EXITED
