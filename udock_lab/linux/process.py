"""Processes as /proc shows them (proc(5)): identity, liveness, who is whose child.

A pid alone proves nothing, since pids are reused. A process is identified by its pid, its start time in
clock ticks since boot, and the boot it lives in. Nor does a /proc prove anything that shows another pid namespace:
every number in it is another process's, so nothing here believes it (:func:`proc_is_ours`).
"""

from __future__ import annotations

import os
import select
from _thread import get_native_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from udock_lab.model import ProcessNode

__all__ = [
    "boot_id",
    "children",
    "descendants",
    "gone",
    "in_main_thread",
    "is_dying",
    "is_same_process",
    "last_pid",
    "lives",
    "open_loadavg",
    "parent",
    "pid_namespace",
    "pids",
    "proc_is_ours",
    "process_tree",
    "session_members",
    "sessions",
    "start_ticks",
    "state",
    "stopped",
]


_PID_LIMIT = 1 << 22  # no kernel gives a higher pid (PID_MAX_LIMIT)
_LOOKS = 5  # at the processes below one, until two agree
_LONGEST_PAUSE = 2_000_000.0  # seconds; poll(2) counts milliseconds in 32 bits, and weeks are for ever
_PF_EXITING = 0x4  # linux/sched.h
_proven = 0  # the pid under which this process saw that it has no other one in its /proc


def proc_is_ours() -> bool:
    """Return whether there is a /proc that shows the pid namespace in which this process lives.

    After ``unshare --fork --pid`` the old one is still mounted, where its numbers mean other processes. There
    ``self`` is not what getpid(2) gives; should the two be equal by chance, NSpid has a second number
    (proc_pid_status(5)). Asked each time, because a fork into a namespace or a mount changes the answer.
    """
    global _proven
    me = os.getpid()
    try:
        if os.readlink("/proc/self") != str(me):
            return False
        if _proven != me:
            with open("/proc/self/status", "rb") as file:
                if any(line.startswith(b"NSpid:") and len(line.split()) > 2 for line in file):
                    return False
            _proven = me
    except OSError:
        return False
    return True


def in_main_thread() -> bool:
    """Return whether this is the thread in which signals arrive: the one that the process began with (gettid(2))."""
    return get_native_id() == os.getpid()


def pid_namespace() -> str:
    """Return the name of this process's pid namespace, ``pid:[4026531836]``; empty where /proc does not tell."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _stat(pid: int) -> list[bytes] | None:
    """Return the fields of /proc/PID/stat from the third on; the name before them may hold blanks and parentheses.

    None when there is no such process, or when the machine hides it from us (hidepid, proc(5)).
    """
    if not proc_is_ours():
        return None
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, 4096).rpartition(b")")[2].split()
        finally:
            os.close(fd)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def state(pid: int) -> str | None:
    """Return one letter (R, S, D, T, Z, ...), or None when there is no such process."""
    fields = _stat(pid)
    return fields[0].decode() if fields else None


def stopped(pids: Iterable[int]) -> list[int]:
    """Return those of them that a signal has stopped and none has continued (signal(7)).

    Those that a tracer holds do not count.
    """
    return [pid for pid in pids if state(pid) == "T"]


def lives(pid: int) -> bool:
    """Return whether any thread of it still runs; the first may be a zombie while others go on (proc_pid_stat(5)).

    Where /proc is not ours, only a child of this process is known to live.
    """
    if not proc_is_ours():
        return _is_living_child(pid)
    fields = _stat(pid)
    return fields is not None and _runs(fields)


def is_dying(pid: int) -> bool:
    """Return whether it has ended already, by a signal or by itself, so that it only has to go.

    After a deadly signal the kernel has a SIGKILL wait for it; when that is taken, the process exits (the flag
    PF_EXITING, proc_pid_stat(5)), as it does by itself. A first thread that leaves others behind is no end.
    """
    if not proc_is_ours():
        return False
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            pending = next((int(line.split()[1], 16) for line in file if line.startswith(b"SigPnd:")), 0)
    except OSError:
        return False
    if pending & 1 << 9 - 1:
        return True
    fields = _stat(pid)
    return fields is not None and bool(int(fields[6]) & _PF_EXITING) and int(fields[17]) <= 1


def parent(pid: int) -> int | None:
    """Return the parent's pid, or None when there is no such process."""
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def start_ticks(pid: int) -> int | None:
    """Return when it was forked, in clock ticks since boot (field 22), or None when there is no such process."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def boot_id() -> str:
    """Return a word that differs from boot to boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def is_same_process(pid: int, ticks: int, boot: str) -> bool:
    """Return whether that very process still runs. A zombie has ended, unless other threads of it go on."""
    fields = _stat(pid)
    if fields is None or not _runs(fields):
        return False
    return int(fields[19]) == ticks and boot == boot_id()


def _runs(fields: list[bytes]) -> bool:
    return fields[0] not in (b"Z", b"X", b"x") or int(fields[17]) > 1


def children(pid: int) -> list[int]:
    """Return the children of a process: from its ``children`` file where the kernel has it, else by one scan.

    Where /proc is not ours, the living children of this process are found without it, and nobody else's.
    """
    if not proc_is_ours():
        return [child for child in _given_out_since(pid) if _is_living_child(child)] if pid == os.getpid() else []
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return _children_by_parent().get(pid, [])


def _is_living_child(pid: int) -> bool:
    """Return whether this is a living child of ours.

    waitid(2) knows our children by itself, and WNOWAIT leaves an ended one to be waited for.
    """
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def _given_out_since(pid: int) -> Iterable[int]:
    """Return every pid that may have been given out since ``pid`` was, in this pid namespace.

    They go round at the limit.
    """
    newest = last_pid() or _pid_of_a_child()
    if newest >= pid:
        return range(pid + 1, newest + 1)
    return [*range(pid + 1, _PID_LIMIT), *range(2, newest + 1)]


def _pid_of_a_child() -> int:
    """Return a pid that a fork has just got: without any /proc it tells which one comes next.

    For single-threaded callers.
    """
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def descendants(pid: int) -> list[int]:
    """Return everything below a process, parents before children.

    Two looks in a row that agree are believed: one alone may miss what has just moved up, since its parent has ended.
    Where the kernel does not list children, or they never come to rest, the whole of /proc is read, which takes the
    longer the more processes the machine has.
    """
    if not proc_is_ours():
        return []
    found = _walk_down(pid, _children_of_threads)
    for _ in range(_LOOKS):
        before, found = found, _walk_down(pid, _children_of_threads)
        if found is None:
            break
        if found == before:
            return found
    by_parent = _children_by_parent()
    return _walk_down(pid, lambda one: by_parent.get(one, [])) or []


def _walk_down(pid: int, children_of: Callable[[int], list[int] | None]) -> list[int] | None:
    """Return what is below a process, as ``children_of`` says; None where it does not know of one of them."""
    found, queue = [], [pid]
    while queue:
        below = children_of(queue.pop())
        if below is None:
            return None
        found += below
        queue += below
    return found


def _children_of_threads(pid: int) -> list[int] | None:
    """Return the children of each of its threads (proc_pid_task(5)); None where the kernel does not list them."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    found += map(int, file.read().split())
            except (FileNotFoundError, ProcessLookupError):
                if os.path.exists(f"/proc/{pid}/task/{thread}"):
                    return None
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has ended
    except PermissionError:  # the machine hides it (hidepid), but perhaps not what is below it
        return None
    return found


def pids() -> list[int]:
    """Return all processes that /proc shows; none where it is not ours."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if proc_is_ours() else []


def session_members(session: int) -> list[int]:
    """Return the processes of a session that is called after its leader, which may have ended (setsid(2))."""
    return sessions().get(session, [])


def sessions() -> dict[int, list[int]]:
    """Return the living processes of each session."""
    table: dict[int, list[int]] = {}
    for pid in pids():
        fields = _stat(pid)
        if fields and fields[0] not in (b"Z", b"X", b"x"):
            table.setdefault(int(fields[3]), []).append(pid)
    return table


def _children_by_parent() -> dict[int, list[int]]:
    table: dict[int, list[int]] = {}
    for pid in pids():
        above = parent(pid)
        if above is not None:
            table.setdefault(above, []).append(pid)
    return table


def process_tree(pid: int) -> ProcessNode | None:
    """Return a process and all below it, zombies included, or None when there is no such process.

    One pass over the machine with psutil, which is imported here and nowhere on the launch path.
    """
    if not proc_is_ours():
        return None
    import psutil

    facts: dict[int, dict[str, Any]] = {}
    below: dict[int, list[int]] = {}
    for process in psutil.process_iter(["name", "cmdline", "ppid"]):
        facts[process.pid] = process.info
        below.setdefault(process.info["ppid"], []).append(process.pid)
    return _node(pid, facts, below)


def _node(pid: int, facts: dict[int, dict[str, Any]], below: dict[int, list[int]]) -> ProcessNode | None:
    from udock_lab.model import ProcessNode

    fields = _stat(pid)
    if fields is None or pid not in facts:
        return None
    nodes = [_node(child, facts, below) for child in below.get(pid, [])]
    return ProcessNode(
        pid=pid,
        name=facts[pid]["name"],
        state=fields[0].decode(),
        start_ticks=int(fields[19]),
        command=tuple(facts[pid]["cmdline"] or ()),  # None for a zombie, and for what we may not look at
        children=tuple(node for node in nodes if node is not None),
    )


def open_loadavg() -> int:
    """Open /proc/loadavg for :func:`last_pid`; -1 where there is none, or no descriptor is left."""
    try:
        return os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def gone(pidfd: int, timeout: float | None = 0.0) -> bool:
    """Wait until the process has ended, at most ``timeout`` seconds (None: for ever); return whether it has.

    A pidfd becomes readable then (pidfd_open(2)).
    """
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if timeout is None or timeout > _LONGEST_PAUSE:
        return bool(poll.poll())
    return bool(poll.poll(timeout * 1000))


def last_pid(loadavg: int = -1) -> int:
    """Return the pid that was given out last in this pid namespace; 0 where it is hidden.

    It is the fifth field of /proc/loadavg. Whatever namespace /proc shows: the kernel answers for that of the reader,
    and anew at each read, so who asks often passes an open one.
    """
    fd = loadavg if loadavg >= 0 else open_loadavg()
    try:
        return int(os.pread(fd, 128, 0).split()[4])
    except (OSError, IndexError, ValueError):
        return 0
    finally:
        if fd >= 0 and fd != loadavg:
            os.close(fd)
