"""A process that stays who it is and is shut in: a user namespace of its own, signals held inside.

So the sandbox runs a learner's code. In a user namespace that maps every id to itself, a refusal stays a refusal,
root regains chroot in there and nowhere else, and a nested user namespace still works. Where the machine refuses
it, the code runs plain. Two sides take part: the process inside, and somebody outside who writes the maps.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from udock_lab.linux import landlock, seccomp
from udock_lab.linux.process import parent
from udock_lab.linux.syscalls import CLONE_NEWUSER, PR_SET_DUMPABLE, drop_capabilities, prctl, unshare

__all__ = ["enter_user_namespace", "hold_signals", "protected_pids", "user_namespaces_work", "write_maps"]


STRANGER = 2_000_000  # uid outside of root inside, where graded code runs for root: nobody's


def enter_user_namespace(ask_outside: Callable[[], bool], *, keep_capabilities: bool = False) -> None:
    """Inside: a new user namespace; ``ask_outside`` has its maps written and says whether that worked.

    An ordinary user is left without the capabilities that unshare(2) hands out, as after an exec, unless there are
    walls to be built with them. Raises OSError.
    """
    ordinary = os.geteuid() != 0
    unshare(CLONE_NEWUSER)
    if not ask_outside():
        raise PermissionError(1, "the maps of the user namespace could not be written")
    if ordinary and not keep_capabilities:
        drop_capabilities()
    prctl(PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root, and so does every strace's word on us


def write_maps(pid: int, *, shut: bool = False) -> bool:
    """Outside: map every id that we have to itself (user_namespaces(7)); False where that is refused.

    ``shut``: root inside is nobody outside; for an ordinary user it is that user, nobody else can be had.
    """
    try:
        if os.geteuid() == 0 and shut:
            uids = gids = f"0 {STRANGER} 65536"
        elif os.geteuid() == 0:
            uids, gids = _identity("uid_map"), _identity("gid_map")
        else:
            inside = "0" if shut else None
            uids = f"{inside or os.geteuid()} {os.geteuid()} 1"
            gids = f"{inside or os.getegid()} {os.getegid()} 1"
            _write(f"/proc/{pid}/setgroups", "deny")
        _write(f"/proc/{pid}/uid_map", uids)
        _write(f"/proc/{pid}/gid_map", gids)
    except OSError:
        return False
    return True


def _identity(name: str) -> str:
    """Our own map with its left column on both sides: a range that is not ours cannot be handed on."""
    with open(f"/proc/self/{name}") as file:
        extents = [line.split() for line in file]
    return "\n".join(f"{inside} {inside} {count}" for inside, _, count in extents)


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def user_namespaces_work() -> bool:
    """Tried to the end in a child: some systems allow unshare and refuse the maps. For single-threaded callers."""
    ready, tell_ready = os.pipe()
    done, tell_done = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(tell_done)
            uid = os.geteuid()
            unshare(CLONE_NEWUSER)
            os.write(tell_ready, b"x")
            if os.read(done, 1) == b"y" and os.geteuid() == uid:
                os._exit(0)
        finally:
            os._exit(1)
    for fd in (tell_ready, done):
        os.close(fd)
    if os.read(ready, 1):
        os.write(tell_done, b"y" if write_maps(pid) else b"n")
    for fd in (ready, tell_done):
        os.close(fd)
    return os.waitpid(pid, 0)[1] == 0


def hold_signals(protected: list[int]) -> str:
    """Inside, and for good: no signal to the outside. How: ``landlock``, ``seccomp`` or ``none``."""
    if landlock.abi_version() >= landlock.SIGNAL_SCOPE_ABI:
        with suppress(OSError):
            landlock.scope_signals()
            return "landlock"
    with suppress(OSError):
        seccomp.refuse_signals(protected)
        return "seccomp"
    return "none"


def protected_pids() -> list[int]:
    """For a filter that knows pids only: the caller and what is above it first, then all that exists now."""
    above: list[int] = []
    pid = os.getpid()
    while pid and len(above) < 64:
        above.append(pid)
        pid = parent(pid) or 0
    others = sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)
    return list(dict.fromkeys([*above, *others]))
