"""Programs that ``exec`` started in a container, remembered beside its record: they end with it.

Each has a supervisor that ends it. Should that one be killed, whoever ends the container, or removes it, does so: the
container's own supervisor, ``stop``, ``rm``, ``prune``. A program is known by its pid together with its start time, or,
where there is no /proc, by the inode of its pidfd, which no two processes share (pidfd_open(2), Linux 6.9).

So does what an orphaned container left in its own session: it is ended when the container is removed, or its end is
written down in place of its supervisor.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress

from udock_lab.linux.process import (
    boot_id,
    descendants,
    gone,
    is_same_process,
    lives,
    pid_namespace,
    proc_is_ours,
    session_members,
    sessions,
    start_ticks,
)
from udock_lab.model import Record
from udock_lab.runtime.state.extras import Identity, Kept, Program, load_program, load_spec, save_program
from udock_lab.runtime.state.home import Home

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["end_all", "end_orphans", "forget", "may_run_on", "remember"]

_NAME, _END = "exec-", ".json"
_PASSES = 100  # looks at what it has started, each 5 ms after the other
_PATIENCE = 2.0  # seconds for a killed process to be gone


def remember(home: Home, container_id: str, pid: int, pidfd: int) -> None:
    """Write the process down before its start gate opens.

    Raises OSError when that cannot be written; does nothing where the container is removed already.
    """
    inode = os.fstat(pidfd).st_ino
    with suppress(FileNotFoundError):
        save_program(home, container_id, Program(pid=pid, start_ticks=start_ticks(pid), boot_id=boot_id(), inode=inode))


def forget(home: Home, container_id: str, pid: int) -> None:
    """Forget a process that has ended."""
    with suppress(OSError):
        os.unlink(_path(home, container_id, pid))


def end_all(home: Home, container_id: str) -> list[int]:
    """Kill all of them and what they started; return the pids of those that may still be there."""
    left = []
    for pid in _remembered(home, container_id):
        known = load_program(home, container_id, pid)
        if known is not None and not _end(pid, known, _roots(home, load_spec(home, container_id))):
            left.append(pid)
        else:
            forget(home, container_id, pid)
    return left


def end_orphans(home: Home, records: Iterable[Record]) -> None:
    """End what orphaned containers left in their sessions: the supervisors that would have done so were killed.

    A session keeps its number as long as it has a member (setsid(2)), so nobody else's bears that of a first process
    which is gone. Nothing is done about one that was on another machine, or in another pid namespace.
    """
    left = sessions()  # once for all: it is a look at each process of the machine
    for record in records:
        if record.pid in left:
            kept = load_spec(home, record.id)
            if _was_here(record, kept.identity):
                _end_session(record.pid, _roots(home, kept))


def _was_here(record: Record, identity: Identity) -> bool:
    """Return whether the container ran on this machine, since it was booted, in our pid namespace.

    Where the supervisor was killed before it could write that down, its session alone can tell.
    """
    known = (identity.pid, identity.boot_id, identity.pid_namespace)
    return known in ((None, None, None), (record.pid, boot_id(), pid_namespace()))


def _roots(home: Home, kept: Kept) -> list[str]:
    """Return the folder that is the container's root; where that is not known, those below which the home has one."""
    rootfs = kept.asked.rootfs
    return [home.images_dir, home.run_dir] if rootfs is None else [rootfs]


def may_run_on(container_id: str, left: list[int]) -> str:
    """Return what to say of those that could not be ended, or not be found."""
    if not proc_is_ours():
        return (
            f"Without /proc mdock reaches the process group of what exec started in {container_id} at most "
            f"({', '.join(map(str, left))}), so some of it may run on. Where /proc is, look for it with: ps -ef"
        )
    groups = " ".join(f"-{pid}" for pid in left)
    return (
        f"What exec started in {container_id} may still run: process {', '.join(map(str, left))}. "
        f"End it as the user who started it, or with sudo: kill -9 -- {groups}"
    )


def _path(home: Home, container_id: str, pid: int) -> str:
    return f"{home.container_dir(container_id)}/{_NAME}{pid}{_END}"


def _remembered(home: Home, container_id: str) -> list[int]:
    try:
        names = os.listdir(home.container_dir(container_id))
    except OSError:
        return []
    numbers = [name[len(_NAME) : -len(_END)] for name in names if name.startswith(_NAME) and name.endswith(_END)]
    return [int(number) for number in numbers if number.isascii() and number.isdigit() and int(number) > 1]


def _end(pid: int, known: Program, roots: list[str]) -> bool:
    """End the process and what is left of its session; return whether nothing of it is there.

    It may end by itself at any moment, also while we are about to end it.
    """
    ended = _end_process(pid, known)
    _end_session(pid, roots)
    return ended


def _end_process(pid: int, known: Program) -> bool:
    """End the process, and all below it, if it is still the one that is remembered; return whether it is gone."""
    if proc_is_ours() and not lives(pid):  # perhaps a zombie that nobody reaps
        return True
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return proc_is_ours()
    try:
        if not _is_it(pid, pidfd, known):
            return proc_is_ours()  # then the number is another's now
        return _end_tree(pid, pidfd)
    finally:
        os.close(pidfd)


def _is_it(pid: int, pidfd: int, known: Program) -> bool:
    ticks, boot = known.start_ticks, known.boot_id
    if ticks is not None and boot is not None and is_same_process(pid, ticks, boot):
        return True
    other = os.pidfd_open(os.getpid())
    try:
        inode = os.fstat(pidfd).st_ino
        return inode == known.inode and inode != os.fstat(other).st_ino  # an older kernel has one for all
    finally:
        os.close(other)


def _end_tree(pid: int, pidfd: int) -> bool:
    """Stop a process and its children, then end them.

    It is stopped first: it starts nothing more, and what its children leave comes to it, their subreaper (prctl(2)).
    """
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGSTOP)
        for _ in range(_PASSES):
            below = _living_below(pid)
            if not below:
                break
            for one in below:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(one, signal.SIGKILL)
            time.sleep(0.005)
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        pass  # gone by itself
    except PermissionError:
        return False
    return gone(pidfd, _PATIENCE) and proc_is_ours() and not _living_below(pid)


def _living_below(pid: int) -> list[int]:
    """Return the living processes below.

    None are found where there is no /proc: then the process group is all that can be reached.
    """
    return [below for below in descendants(pid) if lives(below)]


def _end_session(pid: int, roots: list[str]) -> None:
    """End what a process that has ended left in its session (setsid(2)), where it is in one of these folders.

    Nothing is done while the process lives: the number is another's then.
    """
    for _ in range(_PASSES):
        if lives(pid):
            return
        left = [member for member in session_members(pid) if any(_is_inside(member, root) for root in roots)]
        if sum(_kill(one) for member in left for one in (member, *descendants(member))) == 0:
            return
        time.sleep(0.005)


def _kill(pid: int) -> bool:
    """Kill a process; return whether it may be gone now, which is not so where it is another user's."""
    with suppress(ProcessLookupError):
        try:
            os.kill(pid, signal.SIGKILL)
        except PermissionError:
            return False
    return True


def _is_inside(pid: int, folder: str) -> bool:
    """Return whether the process has its root there or below, or works there: that is all where chroot is refused."""
    below = f"{os.path.realpath(folder)}/"
    for link in (f"/proc/{pid}/root", f"/proc/{pid}/cwd"):
        with suppress(OSError):
            if f"{os.readlink(link)}/".startswith(below) or os.path.samefile(link, folder):
                return True
    return False
