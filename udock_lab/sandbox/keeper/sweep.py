"""Who still lives in a sandbox, and how to end all of it.

The keeper is the subreaper of everything in it (prctl(2)): whoever loses their parent becomes the keeper's child,
so all of it is always found below the keeper.
"""

from __future__ import annotations

import os
from contextlib import suppress

from udock_lab.linux.process import children, lives

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable
else:
    import _signal as signal

__all__ = ["has_ended", "kill", "kill_all", "living", "memory_of", "shared_by", "shared_memory", "threads_of"]


def living(tracer: int) -> dict[int, int]:
    """Return pid to parent of all that lives below this process, the older first, without zombies and strace."""
    found: dict[int, int] = {}
    queue = [(child, os.getpid()) for child in children(os.getpid())]
    for pid, above in queue:
        if pid != tracer and lives(pid):
            found[pid] = above
        queue += [(child, pid) for child in children(pid)]
    return found


def kill_all(first: int, tracer: int) -> bool:
    """Send SIGKILL to everything below us, once; return True while there was anything.

    First the group in one step, through which no fork slips (kill(2)). Who left the group is killed as it is found,
    before its children are looked for: they come to us then, and the next round finds them.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(first, signal.SIGKILL)
    found = False
    queue = children(os.getpid())
    for pid in queue:
        if pid != tracer and lives(pid):
            found = True
            kill(pid)
        queue += children(pid)
    return found


def kill(pid: int) -> None:
    """Send SIGKILL, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Return whether a child of our own is gone, or a zombie."""
    return not lives(pid)


def memory_of(pids: Iterable[int]) -> int:
    """Return the bytes of memory that these processes have for themselves, together (statm in proc(5))."""
    pages = 0
    for pid in pids:
        with suppress(OSError, ValueError), open(f"/proc/{pid}/statm", "rb") as file:
            _, resident, shared, *_ = map(int, file.read().split())
            pages += resident - shared
    return pages * os.sysconf("SC_PAGE_SIZE")


def shared_memory() -> int:
    """Return the bytes that the whole machine shares.

    In shared mappings and in files that only memory holds (proc_meminfo(5)).
    """
    with suppress(OSError, ValueError), open("/proc/meminfo", "rb") as file:
        for line in file:
            if line.startswith(b"Shmem:"):
                return int(line.split()[1]) << 10
    return 0


def shared_by(pids: Iterable[int]) -> int:
    """Return the bytes of shared memory that these processes have mapped or hold open, each file once.

    That is slow, so ask when it matters.
    """
    mapped, files = 0, dict[tuple[int, int], int]()
    for pid in pids:
        with suppress(OSError, ValueError), open(f"/proc/{pid}/status", "rb") as file:
            mapped += sum(int(line.split()[1]) << 10 for line in file if line.startswith(b"RssShmem:"))
        with suppress(OSError):
            for fd in os.scandir(f"/proc/{pid}/fd"):
                if os.readlink(fd.path).startswith("/memfd:"):
                    facts = os.stat(fd.path)
                    files[facts.st_dev, facts.st_ino] = facts.st_blocks * 512
    return mapped + sum(files.values())


def threads_of(uid: int) -> int:
    """Return the threads of a user on this machine, as RLIMIT_NPROC counts them (getrlimit(2))."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count
