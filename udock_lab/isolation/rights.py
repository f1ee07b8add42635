"""Rights: ids, capabilities, and that no program gives any of it back (credentials(7), capabilities(7))."""

from __future__ import annotations

import errno
import os

from udock_lab.isolation.step import Child, Step
from udock_lab.linux.capabilities import bound_capabilities, mask_of, set_capabilities
from udock_lab.linux.prctl import PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, prctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BoundCapabilities",
    "Dumpable",
    "GainNothing",
    "KeepCapabilities",
    "SetCapabilities",
    "SetGid",
    "SetGroups",
    "SetUid",
    "become",
    "become_root",
    "keep_only",
]


def become_root() -> list[Step]:
    """Be uid 0 of a new user namespace, without the groups that we had where those may be left (setgroups(2))."""
    return [LeaveGroupsIfAllowed(), SetGid(0), SetUid(0), Dumpable(1)]


def become(uid: int) -> list[Step]:
    """Be that user, and in the group of that number, for good; which capabilities stay is said by the next layer."""
    return [SetGroups(), SetGid(uid), KeepCapabilities(), SetUid(uid)]


def keep_only(kept: Sequence[int], *, bounded: bool) -> list[Step]:
    """Give up all other capabilities; ``bounded``: out of reach of every program executed later, too."""
    steps: list[Step] = [BoundCapabilities(tuple(kept))] if bounded else []
    return [*steps, SetCapabilities(tuple(kept)), Dumpable(1)]


class SetGroups(Step):
    """Leave all supplementary groups: each may own files (setgroups(2))."""

    name = "leave_groups"
    call = "setgroups"

    def describe(self) -> str:
        return "setgroups([])"

    def apply(self, child: Child) -> None:
        os.setgroups([])


class LeaveGroupsIfAllowed(SetGroups):
    """The same where it may be denied: in a user namespace whose map was written without privilege."""

    name = "leave_groups_if_allowed"
    optional_errnos = (errno.EPERM,)


class SetGid(Step):
    """Be in that group: real, effective and saved (setresgid(2)). Before the uid, or the right to do so is gone."""

    name = "setgid"
    call = "setresgid"
    fields = ("gid",)
    gid: int

    def describe(self) -> str:
        return f"setresgid({self.gid}, {self.gid}, {self.gid})"

    def apply(self, child: Child) -> None:
        os.setresgid(self.gid, self.gid, self.gid)


class SetUid(Step):
    """Be that user: real, effective and saved (setresuid(2))."""

    name = "setuid"
    call = "setresuid"
    fields = ("uid",)
    uid: int

    def describe(self) -> str:
        return f"setresuid({self.uid}, {self.uid}, {self.uid})"

    def apply(self, child: Child) -> None:
        os.setresuid(self.uid, self.uid, self.uid)


class KeepCapabilities(Step):
    """The next change of user takes no permitted capability away (prctl(2))."""

    name = "keep_capabilities"
    call = "prctl"

    def describe(self) -> str:
        return "prctl(PR_SET_KEEPCAPS, 1)"

    def apply(self, child: Child) -> None:
        prctl(PR_SET_KEEPCAPS, 1)


class BoundCapabilities(Step):
    """No program executed from here on gains any but these: a call for each that leaves the bounding set."""

    name = "bounding_set"
    call = "prctl"
    fields = ("kept",)
    kept: tuple[int, ...]

    def describe(self) -> str:
        return f"prctl(PR_CAPBSET_DROP, each but those of {mask_of(self.kept):#x})"

    def apply(self, child: Child) -> None:
        bound_capabilities(self.kept)


class SetCapabilities(Step):
    """These are the ones that we have from here on; none can be got back."""

    name = "capset"
    call = "capset"
    fields = ("kept",)
    kept: tuple[int, ...]

    def describe(self) -> str:
        return f"capset({mask_of(self.kept):#x})"

    def apply(self, child: Child) -> None:
        set_capabilities(self.kept)


class Dumpable(Step):
    """Whether others of our user reach our memory, and whether /proc/self is ours (prctl(2), proc(5)).

    Whoever changes ids loses it: then /proc/self is root's, and so is what strace writes of us.
    """

    name = "dumpable"
    call = "prctl"
    fields = ("yes",)
    yes: int

    def describe(self) -> str:
        return f"prctl(PR_SET_DUMPABLE, {self.yes})"

    def apply(self, child: Child) -> None:
        prctl(PR_SET_DUMPABLE, self.yes)


class GainNothing(Step):
    """No program gives privileges any more: setuid bits and file capabilities are ignored (prctl(2))."""

    name = "gain_nothing"
    call = "prctl"

    def describe(self) -> str:
        return "prctl(PR_SET_NO_NEW_PRIVS, 1)"

    def apply(self, child: Child) -> None:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
