"""Pipe-delimited tables: append, splice and atomic rename.

A table is a text file with one record a line. Readers take no lock: an append is one ``write`` and a
rewrite is one ``rename``, so a reader sees the table before or after, never between (rename(2)).
Writers hold the home's lock (lock.py). Every byte that a rewrite does not mean to change is copied as it is.

Atomic here means against the death of any process at any instant, not against power loss: nothing is fsynced.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress

from udock_lab.linux.ownership import adopt, keep_owner
from udock_lab.runtime.state.home import storage_error

__all__ = [
    "Fingerprint",
    "Written",
    "append_line",
    "as_written",
    "but_for_ctime",
    "copy_range",
    "create_anew",
    "fingerprint",
    "is_settled",
    "open_plain",
    "put_file",
    "read_lines",
    "read_to_end",
    "read_whole",
    "replace_last_match",
    "replace_lines",
    "reserve",
    "stamp",
    "take_over",
    "write_all",
]

Fingerprint = tuple[int, int, int, int]  # inode, size, time of the last write, time of the last change of any kind
Written = tuple[Fingerprint, Fingerprint | None]  # the table before and after a write; None: nobody can tell


def open_plain(path: str, flags: int = os.O_RDONLY) -> int:
    """Open an ordinary file, close-on-exec. OSError(ENXIO) for anything else.

    ``O_NONBLOCK`` means nothing for a file; a pipe (mkfifo(3)) in its place would make open(2) wait for ever.
    A file that ``sudo mdock`` left in a folder of ours becomes ours before it is written.
    """
    flags |= os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o644)
    except PermissionError:
        if flags & os.O_ACCMODE == os.O_RDONLY or not take_over(path):
            raise
        fd = os.open(path, flags, 0o644)
    info = os.fstat(fd)
    if not stat.S_ISREG(info.st_mode):
        os.close(fd)
        raise OSError(errno.ENXIO, "it is no ordinary file", path)
    if flags & os.O_CREAT and not info.st_size:
        adopt(path, fd)
    return fd


def take_over(path: str) -> bool:
    """Put a copy of our own in the place of a file that another user left in our folder; False where that fails.

    Whoever owns a folder decides what stands in it (unlink(2)), so nothing is taken that was not theirs to take.
    """
    try:
        info = os.stat(path)
        if os.stat(os.path.dirname(path)).st_uid != os.geteuid() or not stat.S_ISREG(info.st_mode):
            return False
        _splice(path, -1, read_whole(path), 0, 0)
    except OSError:
        return False
    return True


def fingerprint(info: os.stat_result) -> Fingerprint:
    """Return what tells a file from another in its place, and from itself before a write (inode(7))."""
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def stamp(fd: int) -> os.stat_result | None:
    """Set the file's time to this very nanosecond. Return its status; None if that is refused or not kept.

    Two writes within one tick of the kernel's clock get the same time (inode(7), "Timestamps"); the exact time lies
    between two ticks, so no later write has it. Only the owner may set it, and FAT, for one, keeps seconds.
    """
    now = time.time_ns()
    try:
        os.utime(fd, ns=(now, now))
    except OSError:
        return None
    info = os.fstat(fd)
    return info if info.st_mtime_ns == now else None


def is_settled(info: os.stat_result) -> bool:
    """Return whether a write from now on would get another time than the file has.

    For whoever may not or will not stamp it; git asks the same of its index ("racy" entries). Two seconds are the
    coarsest that a file system keeps. A time that lies ahead of the clock tells nothing.
    """
    return time.time_ns() - info.st_mtime_ns > 2 * 10**9


def read_to_end(fd: int) -> bytes:
    """Return all that follows in an open file. A file object would cost more than a small file's bytes."""
    size = 1 << 13  # bytes, which is all of most files
    data = os.read(fd, size)
    while len(data) == size and (more := os.read(fd, 1 << 20)):
        data, size = data + more, size + len(more)
    return data


def read_whole(path: str) -> bytes:
    """Return the bytes of an ordinary file. OSError."""
    fd = open_plain(path)
    try:
        return read_to_end(fd)
    finally:
        os.close(fd)


def read_lines(path: str) -> list[bytes]:
    """Return all lines without their newline.

    A missing table has none. A torn last line is a line too.
    """
    try:
        data = read_whole(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(error, os.path.dirname(path)) from error
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def put_file(path: str, data: bytes) -> None:
    """Write a file whole. A death, or a full disk, leaves what stood there. Call it with the lock held."""
    temporary = f"{path}.tmp"
    out = create_anew(temporary)
    try:
        try:
            keep_owner(out, os.stat(path))
        except FileNotFoundError:
            adopt(path, out)
        write_all(out, data, 0)
        os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(out)


def append_line(path: str, line: bytes) -> Written:
    """Add one line (with its newline) in one write. Call it with the lock held.

    A line torn by an earlier death is closed first, so that it stays one bad line. A write cut short by
    a full disk is taken back; OSError(ENOSPC).
    """
    fd = open_plain(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    try:
        before = os.fstat(fd)
        size = before.st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = b"\n" + line
        written = 0
        try:
            written = os.write(fd, line)
        finally:
            if written != len(line):
                os.ftruncate(fd, size)
        if written != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        after = stamp(fd)
        grown = after is not None and after.st_size == size + len(line)  # by this line, and by nobody else's
        return fingerprint(before), fingerprint(after) if after is not None and grown else None
    finally:
        os.close(fd)


def replace_lines(path: str, change: Callable[[bytes], bytes | None]) -> Written | None:
    """Rewrite a table line by line: ``change`` gets a line without newline and returns it, a new one, or None.

    Call it with the lock held. Nothing happens to the table if ``change`` raises or the disk is full; None where
    there was nothing to change.
    """
    try:
        source = open_plain(path)
    except FileNotFoundError:
        return None
    try:
        before = os.fstat(source)
        old = read_to_end(source)
        kept = []
        for line in _lines(old):
            new = change(line.rstrip(b"\n"))
            if new is not None:
                kept.append(line if new == line.rstrip(b"\n") else new + b"\n")
        data = b"".join(kept)
        if data == old:
            return None
        return as_written(before, source, _splice(path, source, data, 0, len(old)))
    finally:
        os.close(source)


def as_written(before: os.stat_result, source: int, after: Fingerprint | None) -> Written:
    """Return before and after of a rewrite; what was written to the old table meanwhile may be in the new or not."""
    same = but_for_ctime(os.fstat(source)) == but_for_ctime(before)  # to fall out of the folder changes its ctime
    return fingerprint(before), after if same else None


def but_for_ctime(info: os.stat_result) -> tuple[int, ...]:
    """Return the part of a fingerprint that tells of writes, and not of other changes."""
    return fingerprint(info)[:3]


def _lines(data: bytes) -> list[bytes]:
    r"""Split after ``\n`` only: a carriage return, form feed or such inside a line belongs to it."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


_CHUNK = 1 << 16


def replace_last_match(
    path: str, key: bytes, change: Callable[[bytes], bytes]
) -> tuple[bytes, bytes, int, Written | None] | None:
    """Rewrite the last line that begins with ``key``; (old, new, fd of the old table, what was written), or None.

    Searches from the end, since the newest records change most; the rest is copied inside the kernel
    (copy_file_range(2)). The caller closes the fd when it has time: freeing the old table's blocks is
    the dearest part of the whole rewrite. Call it with the lock held.
    """
    try:
        source = open_plain(path)
    except FileNotFoundError:
        return None
    try:
        before = os.fstat(source)
        found = _find_last(source, before.st_size, key)
        if found is None:
            os.close(source)
            return None
        start, old = found
        new = change(old)
        written = None
        if new != old:
            written = as_written(before, source, _splice(path, source, new, start, start + len(old)))
    except BaseException:
        with suppress(OSError):
            os.close(source)
        raise
    return old, new, source, written


def _find_last(fd: int, size: int, key: bytes) -> tuple[int, bytes] | None:
    """Return offset and bytes (without newline) of the last line that begins with ``key``."""
    tail = b""
    start = size
    while True:
        if start == 0:
            position = tail.rfind(b"\n" + key) + 1
            if position == 0 and not tail.startswith(key):
                return None
            break
        step = min(start, _CHUNK)
        start -= step
        tail = os.pread(fd, step, start) + tail
        position = tail.rfind(b"\n" + key) + 1
        if position:
            break
    end = tail.find(b"\n", position)
    return start + position, tail[position : end if end >= 0 else len(tail)]


def _splice(path: str, source: int, middle: bytes, start: int, end: int) -> Fingerprint | None:
    """Put a new table in place by one rename: source[:start] + middle + source[end:]. Return its fingerprint.

    One name for all writers: the lock is held, so what stands there is of a writer that died. Where the table is a
    symbolic link, the file that it leads to is replaced, in that one's folder.
    """
    path = os.path.realpath(path) if os.path.islink(path) else path
    temporary = f"{path}.tmp"
    total = 0 if source < 0 else os.lseek(source, 0, os.SEEK_END)
    size = start + len(middle) + max(0, total - end)
    out = create_anew(temporary)
    try:
        keep_owner(out, os.stat(path) if source < 0 else os.fstat(source))
        if size:
            reserve(out, size)
        if start:
            copy_range(source, out, start, 0, 0)
        write_all(out, middle, start)
        if total > end:
            copy_range(source, out, total - end, end, start + len(middle))
        if source >= 0 and (now := os.fstat(source).st_size) > total:  # appended by one who takes no lock
            copy_range(source, out, now - total, total, size)
        stamped = stamp(out)  # while nobody else can have it open
        os.rename(temporary, path)
        info = os.fstat(out)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        os.close(out)
    same = stamped is not None and but_for_ctime(info) == but_for_ctime(stamped)
    return fingerprint(info) if same else None


def create_anew(path: str) -> int:
    """Create a new file at ``path``, whatever stood there: opening that could write through a symbolic link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileExistsError:
        os.unlink(path)
        return os.open(path, flags, 0o644)


def reserve(fd: int, size: int) -> None:
    """Ask for the blocks now: a full disk is noticed early, and ext4 need not flush inside rename."""
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV, errno.ENOSYS):
            raise


def copy_range(source: int, out: int, count: int, source_at: int, out_at: int) -> None:
    """Copy so many bytes from one file into another, inside the kernel where that works (copy_file_range(2))."""
    while count:
        try:
            done = os.copy_file_range(source, out, count, source_at, out_at)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF):
                raise
            done = os.pwrite(out, os.pread(source, min(count, 1 << 20), source_at), out_at)
        if not done:
            raise OSError(errno.EIO, "the table shrank while it was copied")
        count -= done
        source_at += done
        out_at += done


def write_all(fd: int, data: bytes, at: int) -> None:
    """Write all of it there, in as many writes as it takes."""
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, at)
        view = view[done:]
        at += done
