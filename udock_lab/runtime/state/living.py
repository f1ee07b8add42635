"""Whether the process of a record lives, and where: proven by its start time, or by its supervisor's lock."""

from __future__ import annotations

import errno
import fcntl
import os
import time

from udock_lab.linux.process import boot_id, is_same_process, lives, pid_namespace, proc_is_ours, start_ticks, state
from udock_lab.model import Record
from udock_lab.runtime.state.containers import has_ended
from udock_lab.runtime.state.extras import Kept, load_spec
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.tables import open_plain

__all__ = ["began", "elsewhere", "hold", "is_alive", "is_held", "lock_file"]

_DAY = 86400  # seconds


def hold(home: Home, container_id: str) -> int:
    """Lock the container's spec while its supervisor lives.

    Others know by it that the container lives, where they can't see the supervisor.
    """
    try:
        fd = open_plain(f"{home.container_dir(container_id)}/spec.json", os.O_RDWR)
    except OSError:
        return -1
    try:
        lock_file(fd)
    except OSError as error:
        os.close(fd)
        if error.errno == errno.EWOULDBLOCK:
            raise
        return -1
    return fd


def lock_file(fd: int) -> None:
    """Lock an open file for as long as it stays open, or raise at once where another has it (flock(2))."""
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_held(path: str) -> bool:
    """Return whether another process has locked this file.

    Several may ask at once, since they ask for a shared lock.
    """
    try:
        fd = open_plain(path)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno == errno.EWOULDBLOCK
    finally:
        os.close(fd)
    return False


def elsewhere(home: Home, record: Record) -> str:
    """Return why the process of a record cannot be seen from here although its supervisor lives, or nothing.

    The supervisor holds a lock, which others see where its pid tells them nothing: in another pid namespace, on
    another host that shares the home, behind hidepid, without /proc. Without that lock nobody looks after it.
    """
    if has_ended(record) or not is_held(f"{home.container_dir(record.id)}/spec.json"):
        return ""
    kept = load_spec(home, record.id)
    identity = kept.identity
    if not kept.unknown and not identity.supervisor:  # then it is another one's lock
        return ""
    boot, namespace, here = identity.boot_id, identity.pid_namespace, pid_namespace()
    if boot is not None and "unknown" not in (boot, boot_id()) and boot != boot_id():
        return f"host {identity.host or 'unknown'}"
    if namespace and here and namespace != here:
        return "another pid namespace"
    if not proc_is_ours():
        return "no /proc of this pid namespace"
    if not namespace:
        return "an unknown place"
    return "/proc hides it" if _answers(record.pid) and state(record.pid) is None else ""


def _answers(pid: int) -> bool:
    """Return whether there is such a process, whether /proc shows it or not."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def is_alive(home: Home, record: Record, kept: Kept | None = None) -> bool:
    """Return whether the very process of this record is still there.

    Proven by pid and start time, never by pid alone.
    """
    identity = (load_spec(home, record.id) if kept is None else kept).identity
    ticks, boot = identity.start_ticks, identity.boot_id
    if identity.pid_namespace and identity.pid_namespace != pid_namespace():
        return False
    if identity.pid == record.pid and ticks is not None and boot is not None:
        return is_same_process(record.pid, ticks, boot)
    return record.pid > 1 and lives(record.pid) and not _began_later(record)


def _began_later(record: Record) -> bool:
    """Return whether a process began days after its record was written: it cannot be the one the record means.

    A record does not say in which time zone it was written, so less than a day proves nothing.
    """
    from calendar import timegm

    try:
        written = timegm(time.strptime(record.start_time, "%Y-%m-%dT%H:%M:%S"))
    except (ValueError, OverflowError):
        return False
    return began(record.pid) > written + _DAY


def began(pid: int) -> float:
    """Return when a process was forked, in seconds since the epoch, as the clock goes now; 0 if there is none."""
    ticks = start_ticks(pid)
    if ticks is None:
        return 0.0
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / os.sysconf("SC_CLK_TCK")
