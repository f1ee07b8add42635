"""Which files a child has open, and how many it may: everything else of its parent's is closed."""

from __future__ import annotations

import fcntl
import os
import resource

from udock_lab.isolation.step import Child

__all__ = ["REPORTS", "STDIN", "SYNC", "TERMINAL", "as_many_as_before", "keep_only", "may_open_many", "place"]

SYNC, REPORTS = Child.SYNC, Child.REPORTS  # what the child keeps open besides 0, 1 and 2
STDIN, TERMINAL = "stdin", "terminal"  # descriptors that come through the start gate, by their names
_BEFORE = resource.getrlimit(resource.RLIMIT_NOFILE)  # what a program may open: as much as its caller


def may_open_many() -> None:
    """Raise the limit on open files as far as the kernel permits.

    A supervisor holds about five for each of its containers.
    """
    with_all = (_BEFORE[1], _BEFORE[1])
    if with_all != _BEFORE:
        resource.setrlimit(resource.RLIMIT_NOFILE, with_all)


def as_many_as_before() -> None:
    """Lower the limit again, in a child: the one above us was raised, since it serves many."""
    if resource.getrlimit(resource.RLIMIT_NOFILE) != _BEFORE:
        resource.setrlimit(resource.RLIMIT_NOFILE, _BEFORE)


def keep_only(sync: int, reports: int, stdout: int, stderr: int) -> None:
    """Close all of the parent's files: a copy kept here would hide an end-of-file from somebody."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, REPORTS + 1) for fd in (sync, reports, stdout, stderr)]
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(high[2], 1)
    os.dup2(high[3], 2)
    os.dup2(high[0], SYNC, inheritable=False)
    os.dup2(high[1], REPORTS, inheritable=False)
    os.closerange(REPORTS + 1, 1 << 20)


def place(fds: dict[str, int], *, one_pipe: bool) -> None:
    """Put standard input, or all three from a terminal, where the program expects them.

    ``one_pipe``: both outputs go through one pipe, so that what is written in order stays in order.
    """
    if one_pipe:
        os.dup2(1, 2)
    if STDIN in fds:
        os.dup2(fds[STDIN], 0)
    if TERMINAL in fds:
        for target in (0, 1, 2):
            os.dup2(fds[TERMINAL], target)
