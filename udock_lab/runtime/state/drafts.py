"""A table's next state, begun while nobody waits: all of it but its last line, which is still to change.

When a container has ended, somebody waits for its record, and most of a rewrite's time goes into making the new file.
So that is made while the program runs. It lies where each rewrite makes its new file: whoever writes next takes the
place, also after a death, and nothing needs to be cleaned up.

A draft is good as long as nobody has written to the table since our own line came into it: then table and draft have
the fingerprint and the inode that they had. Without that check records were lost where two launchers shared a home.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from udock_lab.linux.ownership import keep_owner
from udock_lab.runtime.state.tables import (
    Fingerprint,
    Written,
    as_written,
    but_for_ctime,
    copy_range,
    create_anew,
    fingerprint,
    open_plain,
    reserve,
    stamp,
    write_all,
)

__all__ = ["Draft"]


class Draft:
    """The next state of the table at ``path``, which is ``known`` and ends in ``line``.

    ``room``: bytes that its new last line will take, most probably.
    """

    def __init__(self, path: str, known: Fingerprint, line: bytes, room: int) -> None:
        """Make it. Lock held; OSError, and then nothing is left of it."""
        self._path = os.path.realpath(path) if os.path.islink(path) else path
        self._temporary = f"{self._path}.tmp"
        self._known, self._line = known, line
        self._start, self._room = known[1] - len(line), room
        self._table = open_plain(self._path)
        self._out = -1
        try:
            self._out = create_anew(self._temporary)
            self._inode = os.fstat(self._out).st_ino
            keep_owner(self._out, os.fstat(self._table))
            reserve(self._out, self._start + room)
            copy_range(self._table, self._out, self._start, 0, 0)
        except OSError:
            self.discard()
            raise

    def complete(self, change: Callable[[bytes], bytes]) -> tuple[bytes, bytes, int, Written | None] | None:
        """Do what ``replace_last_match`` does; None where the draft is good no more, and gone. Lock held."""
        if self._out < 0:
            return None
        try:
            old = self._line.rstrip(b"\n")
            new = change(old)
            write_all(self._out, new + b"\n", self._start)
            if len(new) + 1 != self._room:
                os.ftruncate(self._out, self._start + len(new) + 1)
            stamped = stamp(self._out)
            before = os.stat(self._path)
            if fingerprint(before) != self._known or os.stat(self._temporary).st_ino != self._inode:
                self.discard()
                return None
            os.rename(self._temporary, self._path)
        except OSError:  # what is wrong shows in the rewrite that follows
            self.discard()
            return None
        info = os.fstat(self._out)
        same = stamped is not None and but_for_ctime(info) == but_for_ctime(stamped)
        table, self._table = self._table, -1
        self._close()
        return old, new, table, as_written(before, table, fingerprint(info) if same else None)

    def discard(self) -> None:
        """Give it up, if it is still there."""
        if self._out >= 0:
            with suppress(OSError):
                if os.stat(self._temporary).st_ino == self._inode:
                    os.unlink(self._temporary)
        self._close()

    def _close(self) -> None:
        for fd in (self._table, self._out):
            if fd >= 0:
                os.close(fd)
        self._table = self._out = -1
