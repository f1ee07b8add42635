"""A user namespace: in there, some other id may be root's (user_namespaces(7)).

Here the process writes its own maps, one line each. Where it may not, its parent does: mapped.py.
"""

from __future__ import annotations

import os
from errno import EINVAL

from udock_lab.isolation.step import Child, Step
from udock_lab.linux import idmaps
from udock_lab.linux.namespaces import CLONE_NEWUSER, setns, unshare

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = [
    "OWN_NAMESPACE",
    "DenySetgroups",
    "JoinUserNamespace",
    "MapGid",
    "MapUid",
    "NewUserNamespace",
    "own_namespace",
]


def own_namespace(uid: int, gid: int) -> list[Step]:
    """Be root in a namespace of one's own: unshare, then its three files, in the order that the kernel wants."""
    return [NewUserNamespace(), DenySetgroups(), MapUid(uid), MapGid(gid)]


class NewUserNamespace(Step):
    """Leave the user namespace for a new one, with every capability in there; until its maps are written, as nobody."""

    name = "userns"
    call = "unshare"

    def describe(self) -> str:
        return "unshare(CLONE_NEWUSER)"

    def apply(self, child: Child) -> None:
        unshare(CLONE_NEWUSER)


class DenySetgroups(Step):
    """Nobody in there leaves a group: before gid_map, or an unprivileged write to that one is refused."""

    name = "setgroups"
    call = "write"

    def describe(self) -> str:
        return f'write(open("{idmaps.path_of(idmaps.SETGROUPS)}"), "deny")'

    def apply(self, child: Child) -> None:
        idmaps.write(idmaps.SETGROUPS, "deny")


class MapUid(Step):
    """Our user id outside is root's inside."""

    name = "uid_map"
    call = "write"
    fields = ("outside",)
    outside: int

    def describe(self) -> str:
        return f'write(open("{idmaps.path_of(self.name)}"), "0 {self.outside} 1")'

    def apply(self, child: Child) -> None:
        idmaps.write(self.name, f"0 {self.outside} 1")


class MapGid(MapUid):
    """Our group id outside is root's inside."""

    name = "gid_map"


OWN_NAMESPACE = (NewUserNamespace, DenySetgroups, MapUid, MapGid)  # the steps, as they follow each other


class JoinUserNamespace(Step):
    """Enter the user namespace of a running container (setns(2)).

    It is known by the pidfd that came with the plan: its number may have become another process's.
    """

    name = "join_userns"
    call = "setns"
    fields = ("pid",)
    pid: int

    def describe(self) -> str:
        return f"setns(pidfd_open({self.pid}), CLONE_NEWUSER)"

    def apply(self, child: Child) -> None:
        try:
            setns(child.container, CLONE_NEWUSER)
        except OSError as error:
            if error.errno != EINVAL:
                raise
            _join_by_number(self.pid, child.container)


def _join_by_number(pid: int, pidfd: int) -> None:
    """Enter it where setns(2) takes no pidfd (before Linux 5.8).

    What was opened by the number is the container's if that is still there afterwards; ESRCH if it is not.
    """
    try:
        fd = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        signal.pidfd_send_signal(pidfd, 0)
        raise
    try:
        signal.pidfd_send_signal(pidfd, 0)
        setns(fd, CLONE_NEWUSER)
    finally:
        os.close(fd)
