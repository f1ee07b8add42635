"""What the sandbox wants of its isolation: who the code runs as, what it sees, where it writes, how much it may use.

Not one system call of isolation is made here; isolation/ makes them, in its own order. The keeper finds out what this
machine permits and decides (keeper/identity.py); its orders, a :class:`SandboxPolicy`, go to the runner, who knows
which folders its Python needs (:func:`wanted_by`).

What is graded is not trusted. Where the machine permits, such code sees a root that holds the system's programs and
this Python read-only, a little /dev, its own /proc, and one scratch folder in memory with an upper bound; its uid 0
is nobody outside. Where it does not, root becomes a user that nobody is, and Landlock stands before files.
"""

from __future__ import annotations

import os
import sys

from udock_lab.isolation.ask import IDENTITY, ROOT_IS_NOBODY
from udock_lab.isolation.rlimit import as_far_as_allowed
from udock_lab.isolation.wanted import Files, PrivateRoot, Wanted
from udock_lab.linux import capabilities as cap
from udock_lab.model.value import Value, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "OPTIONAL_NAMESPACES",
    "SCRATCH",
    "SandboxPolicy",
    "visible_folders",
    "wanted_by",
]

SCRATCH = "/scratch"  # the working directory in a root of its own
_SIZE = "64m"  # everything that can be written there, together
_INODES = 20_000
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
# Beside programs and libraries, without a root of its own: what names users, hosts and time zones, and processes.
_READABLE = ("/proc", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/localtime")
# What root may do in its namespaces: as in a Docker container, so not CAP_SYS_ADMIN (with it one may speak in another
# process's name, unix(7), and mount over /proc) nor CAP_SYS_PTRACE.
_ROOTS = (
    cap.CAP_CHOWN, cap.CAP_DAC_OVERRIDE, cap.CAP_FOWNER, cap.CAP_FSETID, cap.CAP_KILL, cap.CAP_SETGID, cap.CAP_SETUID,
    cap.CAP_SETPCAP, cap.CAP_NET_BIND_SERVICE, cap.CAP_NET_RAW, cap.CAP_SYS_CHROOT, cap.CAP_MKNOD,
)  # fmt: skip
# Alone, for a user that nobody is: it leads to no file that this user may not open.
_NOBODYS = frozenset({cap.CAP_SYS_CHROOT})
OPTIONAL_NAMESPACES = {"new_network": "network", "new_ipcs": "ipc", "new_uts": "host name"}  # by step, in words


class SandboxPolicy(Value):
    """The keeper's orders to the runner on how to shut itself in.

    ``isolated``: namespaces and a root of its own. Without them ``userns`` keeps it who it is, in a user namespace, and
    ``uid`` makes it that user, unless 0. ``graded`` code is not trusted; ``protected`` are pids that it may not signal.
    """

    isolated: bool = False
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
        limits=tuple(_limits(policy)),
        dies_first=True,
        nice=0 if policy.graded else 10,  # in a lesson Jupyter goes first; what is graded is judged by the clock
        cwd=SCRATCH if policy.isolated else policy.cwd,
        signals_inside=True,
        protected=policy.protected,
    )
    if policy.isolated:
        return _in_namespaces(common, policy)
    if policy.userns:
        ordinary = os.geteuid() != 0  # root keeps in there what it has out here, and an ordinary user gains nothing
        common = replace(common, mapped=IDENTITY, capabilities=() if ordinary else None)
    return _aside(common, policy) if policy.graded else common


def _limits(policy: SandboxPolicy) -> Iterator[tuple[str, int, int]]:
    """Yield names, soft and hard limits. Code that is not trusted may not raise what bounds its traces on a disk."""
    for name, soft in (*policy.limits, ("RLIMIT_CORE", 0)):
        name, soft, hard = as_far_as_allowed(name, soft)
        yield name, soft, soft if policy.graded and name == "RLIMIT_FSIZE" else hard
    if policy.graded:
        yield "RLIMIT_MSGQUEUE", 0, 0  # queues (mq_overview(7)) outlive their processes, and no file leads to them


def _in_namespaces(common: Wanted, policy: SandboxPolicy) -> Wanted:
    return replace(
        common,
        mapped=ROOT_IS_NOBODY,
        namespaces=("new_mounts", "new_pids"),  # the rest would be worth little without them
        optional_namespaces=tuple(OPTIONAL_NAMESPACES),
        private_root=PrivateRoot(
            shown=tuple(visible_folders(policy)), devices=_DEVICES, scratch=SCRATCH, size=_SIZE, inodes=_INODES
        ),
        capabilities=_ROOTS,
        bounded=True,
    )


def _aside(common: Wanted, policy: SandboxPolicy) -> Wanted:
    """Ask, without namespaces, for files out of reach, and for a user that nobody is where the policy names one."""
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
