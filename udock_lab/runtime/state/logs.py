"""Reading ``logs/<id>.log``: what a container wrote to standard output and standard error.

A log may hold a gibibyte, so it travels in chunks and its last lines are looked for from its end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from io import FileIO

from udock_lab.runtime.state.home import storage_error
from udock_lab.runtime.state.tables import open_plain

__all__ = ["read_log"]

_CHUNK = 1 << 16  # bytes
_PAUSE = 0.05  # seconds between two looks for more
_REMEMBERED = 4096  # bytes before our place, by which a log that was emptied and has grown again is known
_MOST_FOLLOWED = 4  # files that bore the log's name


def read_log(
    path: str,
    *,
    tail: int | None = None,
    ended: Callable[[], bool] | None = None,
    idle: Callable[[], object] | None = None,
) -> Iterator[bytes]:
    """Yield the log, or its last ``tail`` lines, in chunks; then what is added, until ``ended()`` is true.

    Without ``ended`` it stops at the end of what is there; while it waits for more, it calls ``idle`` now and then.
    A log that does not exist (yet) is empty; StorageError when it cannot be read. A log that is emptied or replaced
    meanwhile is read on from its beginning.
    """
    followed: list[_Followed] = []
    try:
        while True:
            over = ended is None or ended()  # asked first: what came before the end is read after it
            _notice_new_file(path, followed, tail)
            for log in followed:
                yield from log.read_on()
            if over:
                return
            if idle is not None:
                idle()
            time.sleep(_PAUSE)
    finally:
        for log in followed:
            log.file.close()


def _notice_new_file(path: str, followed: list[_Followed], tail: int | None) -> None:
    """Notice that another file has taken the log's name.

    The old one is read on: its writer may not know of the new one.
    """
    try:
        there = os.stat(path)
    except OSError:
        there = None
    if followed and (there is None or (there.st_dev, there.st_ino) == followed[-1].identity):
        return
    file = _open(path, None if followed else tail)
    if file is not None:
        followed.append(_Followed(file))
    for forgotten in followed[:-_MOST_FOLLOWED]:
        forgotten.file.close()
    del followed[:-_MOST_FOLLOWED]


class _Followed:
    """An open log, the place up to which it was read, and what stands before that place."""

    def __init__(self, file: FileIO) -> None:
        self.file = file
        info = os.fstat(file.fileno())
        self.identity = info.st_dev, info.st_ino
        self.at = file.tell()
        self.before = os.pread(file.fileno(), min(self.at, _REMEMBERED), max(0, self.at - _REMEMBERED))

    def read_on(self) -> Iterator[bytes]:
        """Yield what was added since; all of it, if the file was emptied and begun anew."""
        if self._begun_anew():
            self.at, self.before = 0, b""
        while data := os.pread(self.file.fileno(), _CHUNK, self.at):
            self.at += len(data)
            self.before = (self.before + data)[-_REMEMBERED:]
            yield data

    def _begun_anew(self) -> bool:
        """Return whether the file is shorter than it was, or has other bytes before our place: it was begun anew."""
        size = os.fstat(self.file.fileno()).st_size
        if size <= self.at:
            return size < self.at
        return os.pread(self.file.fileno(), len(self.before), self.at - len(self.before)) != self.before


def _open(path: str, tail: int | None) -> FileIO | None:
    try:
        file = FileIO(open_plain(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(error, os.path.dirname(path)) from error
    if tail is not None:
        file.seek(_start_of_last_lines(file.fileno(), tail))
    return file


def _start_of_last_lines(fd: int, wanted: int) -> int:
    """Return where the last ``wanted`` lines begin.

    What stands behind the last newline is a line too.
    """
    at = os.lseek(fd, 0, os.SEEK_END)
    if not wanted:
        return at
    if at and os.pread(fd, 1, at - 1) == b"\n":
        at -= 1  # this one ends the last line and begins none
    while at:
        block = os.pread(fd, min(at, _CHUNK), max(0, at - _CHUNK))
        at -= len(block)
        if block.count(b"\n") < wanted:
            wanted -= block.count(b"\n")
            continue
        place = len(block)
        for _ in range(wanted):
            place = block.rindex(b"\n", 0, place)
        return at + place + 1
    return 0
