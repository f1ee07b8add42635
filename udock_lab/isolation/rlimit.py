"""Limits: what a process may use (setrlimit(2)), and who goes first when there is too little.

Light, since each fork of a container copies it.
"""

from __future__ import annotations

import errno
import os
import resource

from udock_lab.isolation.step import ANY_ERRNO, Child, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DiesFirst", "Limit", "Nice", "as_far_as_allowed", "limits"]


def limits(wanted: Iterable[tuple[str, int, int]]) -> list[Step]:
    """Set each of them."""
    return [Limit(name, soft, hard) for name, soft, hard in wanted]


def as_far_as_allowed(name: str, soft: int) -> tuple[str, int, int]:
    """Return that soft limit, or as much as the hard one leaves, which stays as it is."""
    hard = resource.getrlimit(getattr(resource, name))[1]
    return name, soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard


class Limit(Step):
    """A resource limit, per process. Set late: the child still needs memory and files itself."""

    name = "limit"
    call = "setrlimit"
    fields = ("resource", "soft", "hard")
    resource: str
    soft: int
    hard: int

    def describe(self) -> str:
        return f"setrlimit({self.resource}, soft={self.soft}, hard={self.hard})"

    def apply(self, child: Child) -> None:
        try:
            resource.setrlimit(getattr(resource, self.resource), (self.soft, self.hard))
        except ValueError as error:  # what the resource module makes of EPERM and EINVAL
            raise OSError(errno.EPERM, str(error)) from error


class DiesFirst(Step):
    """When the machine's memory runs out, this process goes first; more may be asked for without privilege."""

    name = "dies_first"
    call = "write"
    optional_errnos = ANY_ERRNO

    def describe(self) -> str:
        return 'write(open("/proc/self/oom_score_adj"), "1000")'

    def apply(self, child: Child) -> None:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")


class Nice(Step):
    """Others get the processor first (nice(2))."""

    name = "nice"
    call = "nice"
    fields = ("by",)
    by: int

    def describe(self) -> str:
        return f"nice({self.by})"

    def apply(self, child: Child) -> None:
        os.nice(self.by)
