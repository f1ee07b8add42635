"""What the sandbox wants of its isolation: who the code runs as, what it sees, where it writes, how much it may use.

Not one system call of isolation is made here; isolation/ makes them, in its own order. The keeper finds out what this
machine permits and decides; its orders, a :class:`SandboxPolicy`, go to the runner, who knows which
folders its Python needs (:func:`wanted_by`).

What is graded is not trusted. Where the machine permits, such code sees a root that holds the system's programs and
this Python read-only, a little /dev, its own /proc, and one scratch folder in memory with an upper bound; its uid 0
is nobody outside. Where it does not, root becomes a user that nobody is, and Landlock stands before files.
"""

from __future__ import annotations

import os
import sys

from udock_lab.isolation.ask import IDENTITY, ROOT_IS_NOBODY
from udock_lab.isolation.rlimit import as_far_as_allowed
from udock_lab.isolation.trial import refusal
from udock_lab.isolation.wanted import Files, PrivateRoot, Wanted
from udock_lab.linux import capabilities as cap
from udock_lab.linux import idmaps
from udock_lab.linux.process import parent, pids
from udock_lab.model.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = [
    "SCRATCH",
    "SandboxPolicy",
    "missing_walls",
    "protected_pids",
    "refused_walls",
    "unprivileged_uid",
    "user_namespaces_work",
    "visible_folders",
    "walls_refused",
    "wanted_by",
]

SCRATCH = "/scratch"  # the working directory behind walls
_SIZE = "64m"  # everything that can be written there, together
_INODES = 20_000
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
# Beside programs and libraries, without walls: what names users, hosts and time zones, and processes.
_READABLE = ("/proc", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/localtime")
# What root may do behind walls: as in a Docker container, so not CAP_SYS_ADMIN (with it one may speak in another
# process's name, unix(7), and mount over /proc) nor CAP_SYS_PTRACE.
_ROOTS = (
    cap.CAP_CHOWN, cap.CAP_DAC_OVERRIDE, cap.CAP_FOWNER, cap.CAP_FSETID, cap.CAP_KILL, cap.CAP_SETGID, cap.CAP_SETUID,
    cap.CAP_SETPCAP, cap.CAP_NET_BIND_SERVICE, cap.CAP_NET_RAW, cap.CAP_SYS_CHROOT, cap.CAP_MKNOD,
)  # fmt: skip
# Alone, for a user that nobody is: it leads to no file that this user may not open.
_NOBODYS = frozenset({cap.CAP_SYS_CHROOT})
# Who becomes somebody else must be able to clean up after them.
_TO_BECOME_ANOTHER = frozenset(
    {cap.CAP_CHOWN, cap.CAP_DAC_OVERRIDE, cap.CAP_FOWNER, cap.CAP_KILL, cap.CAP_SETGID, cap.CAP_SETUID}
)
# A uid for each sandbox, so that they do not reach each other. Ids above 1879048191 are given to nobody (systemd's
# UIDS-GIDS document); a container's root may have fewer ids, usually 65536.
_UIDS, _FEW_IDS = 2_000_000_000, 60_000
_WALLS = {"new_network": "network", "new_ipcs": "ipc", "new_uts": "host name"}  # a step that may be refused: its word


class SandboxPolicy(Value):
    """The keeper's orders to the runner on how to shut itself in.

    ``walls``: namespaces and a root of its own. Without them ``userns`` keeps it who it is, in a user namespace, and
    ``uid`` makes it that user, unless 0. ``graded`` code is not trusted; ``protected`` are pids that it may not signal.
    """

    walls: bool = False
    userns: bool = False
    uid: int = 0
    package: str = ""  # the folder that holds udock_lab
    path: tuple[str, ...] = ()  # where the notebook imports from
    cwd: str = ""  # where the code starts; the one folder that may be written
    limits: tuple[tuple[str, int], ...] = ()  # names of the module resource, and soft limits
    graded: bool = False
    protected: tuple[int, ...] = ()


def wanted_by(policy: SandboxPolicy) -> Wanted:
    """Return all that the policy asks for, in the runner: which folders are needed is a matter of its Python."""
    common = Wanted(
        limits=tuple(as_far_as_allowed(name, soft) for name, soft in (*policy.limits, ("RLIMIT_CORE", 0))),
        dies_first=True,
        nice=0 if policy.graded else 10,  # in a lesson Jupyter goes first; what is graded is judged by the clock
        cwd=SCRATCH if policy.walls else policy.cwd,
        signals_inside=True,
        protected=policy.protected,
    )
    if policy.walls:
        return _behind_walls(common, policy)
    if policy.userns:
        ordinary = os.geteuid() != 0  # root keeps in there what it has out here, and an ordinary user gains nothing
        common = replace(common, mapped=IDENTITY, capabilities=() if ordinary else None)
    return _aside(common, policy) if policy.graded else common


def _behind_walls(common: Wanted, policy: SandboxPolicy) -> Wanted:
    return replace(
        common,
        mapped=ROOT_IS_NOBODY,
        namespaces=("new_mounts", "new_pids"),  # the rest would be worth little without them
        optional_namespaces=tuple(_WALLS),
        private_root=PrivateRoot(
            shown=tuple(visible_folders(policy)), devices=_DEVICES, scratch=SCRATCH, size=_SIZE, inodes=_INODES
        ),
        capabilities=_ROOTS,
        bounded=True,
    )


def _aside(common: Wanted, policy: SandboxPolicy) -> Wanted:
    """Ask, without walls, for files out of reach, and for a user that nobody is where the policy names one."""
    files = Files(
        reading=(*visible_folders(policy), *_READABLE),
        devices=tuple(f"/dev/{name}" for name in _DEVICES),
        writing=(policy.cwd,),
    )
    common = replace(common, files=files)
    if not policy.uid:
        return common
    kept = tuple(sorted(_NOBODYS & cap.permitted_capabilities()))
    return replace(common, uid=policy.uid, capabilities=kept, bounded=True, no_new_privs=True)


def visible_folders(policy: SandboxPolicy) -> list[str]:
    """Return what a Python with this package needs to run, in the order in which it can be mounted; none in another.

    ``policy.path`` is the notebook's sys.path, with libraries that this user has installed for themselves.
    """
    libraries = [entry for entry in (*sys.path, *policy.path) if entry.endswith(("site-packages", "dist-packages"))]
    wanted = [*_SYSTEM, sys.base_prefix, sys.prefix, f"{policy.package}/udock_lab", *libraries]
    there = {os.path.abspath(path) for path in wanted if path and os.path.lexists(path)}
    found: list[str] = []
    for path in sorted(there, key=lambda path: (len(path), path)):
        if not any(path.startswith(f"{above}/") for above in found):
            found.append(path)
    return found


# --- what this machine permits, and what is said of what it refuses


def walls_refused(package: str) -> str:
    """Say why there can be no walls here; empty where there can. For single-threaded callers."""
    return refusal(wanted_by(SandboxPolicy(walls=True, graded=True, package=package)))


def user_namespaces_work() -> bool:
    """Return whether a process can stay who it is in a user namespace of its own. For single-threaded callers."""
    return not refusal(Wanted(mapped=IDENTITY))


def unprivileged_uid() -> int:
    """Return a uid, and gid, that nobody has, for root to become; 0 where root may not become it.

    It is this process's own: no two sandboxes share one.
    """
    if os.geteuid() != 0 or not cap.permitted_capabilities() >= _TO_BECOME_ANOTHER:
        return 0
    for candidate in (_UIDS + os.getpid(), _FEW_IDS + os.getpid() % 5_000):
        if idmaps.is_mapped(idmaps.UID_MAP, candidate) and idmaps.is_mapped(idmaps.GID_MAP, candidate):
            return candidate
    return 0


def protected_pids() -> list[int]:
    """List, for a filter that knows pids only, the caller and what is above it first, then all that exists now."""
    above: list[int] = []
    pid = os.getpid()
    while pid and len(above) < 64:
        above.append(pid)
        pid = parent(pid) or 0
    return list(dict.fromkeys([*above, *sorted(pids(), reverse=True)]))


def refused_walls(refused: Sequence[str]) -> list[str]:
    """Name, of the steps that were refused, those that were walls."""
    return [f"own {_WALLS[name]}" for name in refused if name in _WALLS]


def missing_walls(why: str, uid: int, kept_to: bool, closed: str) -> list[str]:
    """Say what was wanted, is not there, and what code can therefore do; ``why`` is the refusal of the whole.

    ``kept_to``: files are out of reach. ``closed``: a folder of this Python that only root may enter, if there is one.
    """
    words = [f"own {'' if uid else 'user, '}processes, mounts and network ({why})"]
    if uid and not kept_to:
        words.append("files kept out of sight (no Landlock): it could read what everybody here may read")
        words[-1] += f", and what is next to {closed}" if closed else ""
        words[-1] += ", and write where everybody may write"
    elif not kept_to:
        words.append("files kept out of reach (no Landlock): it could read and change all that you can")
    elif not uid:
        words.append("owners, modes and times of your files (Landlock protects what is in them)")
    return words
