"""Reading ``logs/<id>.log``: what a container wrote to standard output and standard error.

A log may hold a gibibyte, so it travels in chunks and its last lines are looked for from its end.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from io import FileIO

from udock_lab.runtime.home import storage_error
from udock_lab.runtime.records import open_plain

__all__ = ["read_log"]

_CHUNK = 1 << 16  # bytes
_PAUSE = 0.05  # seconds between two looks for more


def read_log(path: str, *, tail: int | None = None, ended: Callable[[], bool] | None = None) -> Iterator[bytes]:
    """The log, or its last ``tail`` lines, in chunks; then what is added, until ``ended()`` is true.

    Without ``ended`` it stops at the end of what is there. A log that does not exist (yet) is empty;
    StorageError when it cannot be read.
    """
    file: FileIO | None = None
    try:
        while True:
            over = ended is None or ended()  # asked first: what came before the end is read after it
            file = file or _open(path, tail)
            while file is not None and (data := file.read(_CHUNK)):
                yield data
            if over:
                return
            time.sleep(_PAUSE)
    finally:
        if file is not None:
            file.close()


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
    """Where the last ``wanted`` lines begin. What stands behind the last newline is a line too."""
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
