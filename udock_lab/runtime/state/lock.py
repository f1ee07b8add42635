"""The one lock of a home, which whoever changes a table holds (flock(2)), and who keeps it for too long."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from udock_lab.errors import LockTimeout
from udock_lab.linux.ownership import adopt
from udock_lab.linux.process import proc_is_ours, state
from udock_lab.runtime.state.home import Home, storage_error

__all__ = ["held_too_long", "lock_timeout", "locked", "release", "try_lock"]


def lock_timeout() -> float:
    """Return seconds to wait for the lock: ``$MDOCK_LOCK_TIMEOUT``, or 10 where that is no number of seconds."""
    with suppress(ValueError):
        seconds = float(os.environ.get("MDOCK_LOCK_TIMEOUT", ""))
        if 0 <= seconds < float("inf"):  # neither "nan" nor "inf", which would be for ever
            return seconds
    return 10.0


def try_lock(home: Home) -> int | None:
    """Take the lock if it is free: its open file, or None. Never waits."""
    fd = _open_lock(home.lock)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if error.errno in (errno.EWOULDBLOCK, errno.EINTR):
            return None
        raise
    return fd


def _open_lock(path: str) -> int:
    """Open the lock's file.

    Another user's lock (``sudo mdock`` made it) locks as well; only NFS wants it open for writing.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        adopt(path, fd)
        return fd
    except PermissionError:
        with suppress(OSError):
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        raise


def release(fd: int) -> None:
    """Give the lock back. Unlocked by name, because a child forked meanwhile shares the open file."""
    try:
        fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)  # a lock that is kept by mistake would keep everybody out, its owner too


@contextmanager
def locked(home: Home, timeout: float | None = None) -> Iterator[None]:
    """Hold the home's lock; poll with a growing, jittered pause; LockTimeout after ``timeout`` seconds."""
    home.create()
    deadline = time.monotonic() + (lock_timeout() if timeout is None else timeout)
    pause = 0.0005
    while True:
        try:
            fd = try_lock(home)
        except OSError as error:
            raise storage_error(error, home.path) from error
        if fd is not None:
            break
        if time.monotonic() > deadline:
            raise held_too_long(home)
        time.sleep(pause * (0.5 + (time.monotonic_ns() & 1023) / 1024))
        pause = min(pause * 1.5, 0.02)
    try:
        yield
    except OSError as error:
        raise storage_error(error, home.path) from error
    finally:
        release(fd)


def held_too_long(home: Home) -> LockTimeout:
    """Name the process that keeps the lock, from /proc/locks (proc(5))."""
    holder = _lock_holder(home)
    who = f"process {holder}" if holder else "another process"
    if holder and state(holder) in ("T", "t"):
        return LockTimeout(
            f"The mdock home is locked by {who}, which is stopped (Ctrl-Z?).",
            f"Let it go on with: kill -CONT {holder}   or end it with: kill {holder}",
        )
    hint = f"See what it does: ps -fp {holder}" if holder else f"Find it with: fuser {home.lock}"
    return LockTimeout(f"The mdock home is still locked by {who}.", hint)


def _lock_holder(home: Home) -> int | None:
    if not proc_is_ours():  # then the number would be another process's
        return None
    with suppress(OSError):
        info = os.stat(home.lock)
        wanted = f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}:{info.st_ino}"
        with open("/proc/locks") as file:
            for line in file:
                fields = line.split()
                if "->" not in fields and len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == wanted:
                    return int(fields[4])
    return None
