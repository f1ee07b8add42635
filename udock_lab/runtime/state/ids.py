"""Container ids: c1, c2, ..., one more than the highest that was ever given out or stands in ``containers.db``.

Two small files in the home's ``run/`` keep that from being looked up each time. ``highest_id`` is the mark: the id
given out last. ``known_table`` is the fingerprint (inode, size, times) of a table that was read, beside the highest
id it may hold; whoever finds the table with that fingerprint need not read it. Every writer here follows its own
change there, so several launchers and command lines do not make each other read; after another program's change the
table is read once.

A fingerprint is worth as much as its times. The kernel stamps a write with the time of the last tick of its clock, so
a second write within the same 1 to 10 ms, in place and of the same length, would show nowhere. git meets that with
"racy" entries, which it trusts only when they are old enough; here nothing would grow old between two runs. So we
stamp the table ourselves, with the exact time (``stamp`` in tables.py), and a table that could not be stamped is read
again.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress

from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.tables import Fingerprint, Written, fingerprint, open_plain, read_to_end, stamp

__all__ = ["allocate", "follow", "is_known", "raise_mark"]

_MOST = 10**18 - 1  # the highest number of an id: 18 digits
_LENGTH = 5 * 21  # bytes of known_table: the highest id and the four numbers of a fingerprint


def allocate(home: Home) -> str:
    """Return the next id. Lock held.

    The mark is written before anybody can see the id, so a death skips it and never gives it out twice.
    """
    mark = open_plain(home.highest_id, os.O_RDWR | os.O_CREAT)
    try:
        number = _highest(home, _read_mark(mark)) + 1
        if number > _MOST:
            raise OSError(errno.ERANGE, f"no container id is left after c{_MOST}", home.containers_db)
        _write_mark(mark, number)
    finally:
        os.close(mark)
    return f"c{number}"


def raise_mark(home: Home, number: int) -> None:
    """See to it that no id up to this one is given out again. Lock held; OSError."""
    mark = open_plain(home.highest_id, os.O_RDWR | os.O_CREAT)
    try:
        if _read_mark(mark) < number <= _MOST:
            _write_mark(mark, number)
    finally:
        os.close(mark)


def is_known(home: Home) -> bool:
    """Return whether the table is one whose highest id is known."""
    known = _load(home)
    return known is not None and known[1] == _fingerprint_of_table(home)


def follow(home: Home, written: Written | None, number: int = 0) -> None:
    """Know the table after a change of our own if it was known before. Lock held.

    ``number``: of the id that came into the table.
    """
    before, after = written or (None, None)
    if after is None:
        return
    with suppress(OSError):
        fd = open_plain(home.known_table, os.O_RDWR)
        try:
            known = _read_known(fd)
            if known is not None and known[1] == before:
                _write_known(fd, max(known[0], number), after)
        finally:
            os.close(fd)


def _highest(home: Home, mark: int) -> int:
    """Return the highest id that was given out or stands in the table, which is read only if it is not known."""
    known = _load(home)
    if known is not None:
        mark = max(mark, known[0])  # the mark may be lost
        if known[1] == _fingerprint_of_table(home):
            return mark
    try:
        table = open_plain(home.containers_db)
    except FileNotFoundError:
        return mark
    try:
        stamped = stamp(table)  # before it is read: whatever is written from now on shows
        highest = _highest_in(read_to_end(table), mark)
    finally:
        os.close(table)
    if stamped is not None:
        _store(home, highest, fingerprint(stamped))
    return highest


def _fingerprint_of_table(home: Home) -> Fingerprint | None:
    try:
        return fingerprint(os.stat(home.containers_db))
    except FileNotFoundError:
        return None


def _highest_in(table: bytes, mark: int) -> int:
    """Return the larger of the mark and the highest id at the start of a line; as numbers: c10 comes after c9.

    Only ids with as many digits as the mark can be higher. A pattern that begins with one certain byte is searched
    for with memchr(3), which MULTILINE's ``^`` is not.
    """
    pattern = rb"\n[ \t\r\v\f]*c([1-9][0-9]{%d,17})[ \t\r\v\f]*\|" % (len(str(mark)) - 1)
    return max(mark, *map(int, re.findall(pattern, b"\n" + table)), 0)


def _read_mark(fd: int) -> int:
    """Return the mark; 0 for what is none."""
    text = os.pread(fd, 32, 0).partition(b"\n")[0].strip()
    mark = int(text) if text.isdigit() else 0
    return mark if mark <= _MOST else 0


def _write_mark(fd: int, number: int) -> None:
    os.pwrite(fd, b"%020d\n" % number, 0)


def _load(home: Home) -> tuple[int, Fingerprint] | None:
    """Return the highest id that the known table may hold, and its fingerprint; None if nothing is known."""
    try:
        fd = open_plain(home.known_table)
    except OSError:
        return None
    try:
        return _read_known(fd)
    except OSError:
        return None
    finally:
        os.close(fd)


def _read_known(fd: int) -> tuple[int, Fingerprint] | None:
    words = os.pread(fd, _LENGTH + 1, 0).split()
    if len(words) != 5 or not all(len(word) == 20 and word.isdigit() for word in words):
        return None
    highest, inode, size, written, changed = map(int, words)
    return (highest, (inode, size, written, changed)) if highest <= _MOST else None


def _store(home: Home, highest: int, known: Fingerprint) -> None:
    """Write it down, in one write over what stood there. If that fails the table is read again, no more.

    Cut short, it has the new number and a part of the old fingerprint, which no table has any more.
    """
    with suppress(OSError):
        fd = open_plain(home.known_table, os.O_RDWR | os.O_CREAT)
        try:
            _write_known(fd, highest, known)
        finally:
            os.close(fd)


def _write_known(fd: int, highest: int, known: Fingerprint) -> None:
    os.pwrite(fd, b"%020d %020d %020d %020d %020d\n" % (highest, *known), 0)
