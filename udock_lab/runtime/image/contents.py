"""The bytes of one file, copied inside the kernel where it can, with their holes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

__all__ = ["copy_contents"]

_SMALL = 1 << 17  # bytes; below this one read and one write beat setting up a copy inside the kernel
_CHUNK = 1 << 23  # bytes between two looks at the clock, so that a large file shows progress too
_NO_SUCH_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.ETXTBSY)


def copy_contents(source: int, target: int, info: os.stat_result, tell: Callable[[int], None]) -> int:
    """Copy the bytes, return how many; ``tell`` hears how many so far. Holes stay holes (lseek(2), SEEK_DATA)."""
    size = info.st_size
    if info.st_blocks * 512 < size:
        return _copy_extents(source, target, size, tell)
    if size <= _SMALL:
        return _copy_by_hand(source, target)
    done = 0
    while True:
        count = _copy_in_kernel(source, target, _CHUNK)
        if count < 0:
            return done + _copy_by_hand(source, target)
        if not count:
            return done
        done += count
        tell(done)


def _copy_extents(source: int, target: int, size: int, tell: Callable[[int], None]) -> int:
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but hole from here to the end
                break
            raise
        end = os.lseek(source, at, os.SEEK_HOLE)
        os.lseek(source, at, os.SEEK_SET)
        os.lseek(target, at, os.SEEK_SET)
        while at < end:
            count = _copy_in_kernel(source, target, min(_CHUNK, end - at))
            if count < 0:
                count = os.write(target, os.read(source, min(1 << 20, end - at)))
            if not count:
                break
            at += count
            tell(at)
    os.ftruncate(target, size)
    return size


def _copy_by_hand(source: int, target: int) -> int:
    done = 0
    while data := os.read(source, _SMALL):
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
        done += len(data)
    return done


def _copy_in_kernel(source: int, target: int, count: int) -> int:
    """Let the kernel copy (copy_file_range(2), sendfile(2)); -1 where it can do neither."""
    try:
        return os.copy_file_range(source, target, count)
    except OSError as error:
        if error.errno not in _NO_SUCH_COPY:
            raise
    try:
        return os.sendfile(target, source, None, count)
    except OSError as error:
        if error.errno not in _NO_SUCH_COPY:
            raise
    return -1
