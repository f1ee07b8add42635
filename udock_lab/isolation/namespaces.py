"""Namespaces other than the user's, a call for each: so one that is refused takes no other with it (namespaces(7))."""

from __future__ import annotations

from udock_lab.isolation.step import Child, Step, optional
from udock_lab.linux.namespaces import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUTS,
    unshare,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "NewCgroups",
    "NewIpcs",
    "NewMounts",
    "NewNamespace",
    "NewNetwork",
    "NewPids",
    "NewTimes",
    "NewUts",
    "new_namespaces",
]


class NewNamespace(Step):
    """Leave one of the namespaces that are shared with the parent."""

    name = "new_namespace"
    call = "unshare"
    flag = 0
    flag_name = ""

    def describe(self) -> str:
        return f"unshare({self.flag_name})"

    def apply(self, child: Child) -> None:
        unshare(self.flag)


class NewMounts(NewNamespace):
    """What is mounted from now on is mounted here only (mount_namespaces(7))."""

    name, flag, flag_name = "new_mounts", CLONE_NEWNS, "CLONE_NEWNS"


class NewPids(NewNamespace):
    """Whoever is forked next is process 1 and sees nobody else (pid_namespaces(7))."""

    name, flag, flag_name = "new_pids", CLONE_NEWPID, "CLONE_NEWPID"


class NewNetwork(NewNamespace):
    """No network interface but a loopback one that is down (network_namespaces(7))."""

    name, flag, flag_name = "new_network", CLONE_NEWNET, "CLONE_NEWNET"


class NewIpcs(NewNamespace):
    """Shared memory, semaphores and message queues of its own (ipc_namespaces(7))."""

    name, flag, flag_name = "new_ipcs", CLONE_NEWIPC, "CLONE_NEWIPC"


class NewUts(NewNamespace):
    """A host name of its own (uts_namespaces(7))."""

    name, flag, flag_name = "new_uts", CLONE_NEWUTS, "CLONE_NEWUTS"


class NewCgroups(NewNamespace):
    """The cgroup that we are in now looks like the topmost one (cgroup_namespaces(7))."""

    name, flag, flag_name = "new_cgroups", CLONE_NEWCGROUP, "CLONE_NEWCGROUP"


class NewTimes(NewNamespace):
    """Whoever is forked next may have other clocks since boot (time_namespaces(7))."""

    name, flag, flag_name = "new_times", CLONE_NEWTIME, "CLONE_NEWTIME"


_ALL = (NewMounts, NewPids, NewNetwork, NewIpcs, NewUts, NewCgroups, NewTimes)


def new_namespaces(needed: Iterable[str], welcome: Iterable[str]) -> list[Step]:
    """Return those that are needed, and those that are done without where they are refused, by their steps' names."""
    made: list[Step] = [kind() for kind in _ALL if kind.name in needed]
    return made + [optional(kind()) for kind in _ALL if kind.name in welcome]
