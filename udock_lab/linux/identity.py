"""A process that stays who it is and is shut in: a user namespace of its own, signals held inside.

So the sandbox runs a learner's code. In a user namespace that maps every id to itself, a refusal stays a refusal,
root regains chroot in there and nowhere else, and a nested user namespace still works. Where the machine refuses
it, the code runs plain. Two sides take part: the process inside, and somebody outside who writes the maps.
Or root becomes somebody else for good: that takes no namespace, and whoever is nobody's user harms nobody's files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

from udock_lab.linux import landlock, seccomp_filters
from udock_lab.linux.capabilities import (
    bound_capabilities,
    drop_capabilities,
    permitted_capabilities,
    set_capabilities,
)
from udock_lab.linux.namespaces import CLONE_NEWUSER, unshare
from udock_lab.linux.prctl import PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, prctl
from udock_lab.linux.process import parent, pids, proc_is_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "become",
    "enter_user_namespace",
    "hold_signals",
    "nobodys_user",
    "protected_pids",
    "user_namespaces_work",
    "write_maps",
]


STRANGER = 2_000_000  # uid outside of root inside, where graded code runs for root: nobody's
# Without a namespace: a uid for each sandbox, so that they do not reach each other. Ids above 1879048191 are given
# to nobody (systemd's UIDS-GIDS document); a container's root may have fewer ids, usually 65536.
_STRANGERS, _FEW_IDS = 2_000_000_000, 60_000
# CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID: who becomes somebody else must be able to clean up after them.
_TO_HAVE_A_STRANGER = frozenset({0, 1, 3, 5, 6, 7})


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
    if not proc_is_ours():  # another pid namespace's: this number is a stranger's there
        return False
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


def nobodys_user() -> int:
    """Return a uid, and gid, that no user has: this process's own, for root to become.

    0 where root may not become it.
    """
    if os.geteuid() != 0 or not permitted_capabilities() >= _TO_HAVE_A_STRANGER:
        return 0
    for candidate in (_STRANGERS + os.getpid(), _FEW_IDS + os.getpid() % 5_000):
        if _is_mapped("uid_map", candidate) and _is_mapped("gid_map", candidate):
            return candidate
    return 0


def _is_mapped(name: str, number: int) -> bool:
    with open(f"/proc/self/{name}") as file:
        extents = [tuple(map(int, line.split())) for line in file]
    return any(inside <= number < inside + count for inside, _, count in extents)


def become(uid: int, kept: Collection[int]) -> None:
    """From root to this user and the group of the same number, for good; ``kept`` are capabilities it keeps until exec.

    Of those, the ones that we have. no_new_privs sees to it that no program gives any of it back (prctl(2)).
    Raises OSError.
    """
    kept = permitted_capabilities().intersection(kept)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    prctl(PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)
    bound_capabilities(kept)
    set_capabilities(kept)
    prctl(PR_SET_DUMPABLE, 1)  # else /proc/self is root's


def user_namespaces_work() -> bool:
    """Return whether user namespaces work, tried to the end in a child: some systems allow unshare and refuse the maps.

    For single-threaded callers.
    """
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
        seccomp_filters.refuse_signals(protected)
        return "seccomp"
    return "none"


def protected_pids() -> list[int]:
    """For a filter that knows pids only: the caller and what is above it first, then all that exists now."""
    above: list[int] = []
    pid = os.getpid()
    while pid and len(above) < 64:
        above.append(pid)
        pid = parent(pid) or 0
    return list(dict.fromkeys([*above, *sorted(pids(), reverse=True)]))
