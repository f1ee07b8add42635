"""A child seen from its parent: the socket and the pipes between them, and what is known of it."""

from __future__ import annotations

import os
from time import monotonic_ns

from udock_lab.runtime.child.kinds import PLAIN, Kind
from udock_lab.wire.framing import adopt, pair

__all__ = ["Ends", "Fresh"]


class Fresh:
    """A child that waits at its start gate, seen from the parent. All file descriptors are the parent's ends.

    ``pid`` is the process that is to be the program: the one that fork(2) returned (``forked``), unless that one forks
    again. ``fork_start`` and ``fork_end`` are nanoseconds of CLOCK_MONOTONIC.
    """

    DESCRIPTORS = 5

    def __init__(self, pid: int, fds: list[int], fork_start: int, fork_end: int, kind: Kind = PLAIN) -> None:
        sync, self.reports, self.stdout, self.stderr, self.pidfd = fds
        self.pid = self.forked = pid
        self.kind = kind
        self.sync = adopt(sync)
        self.briefed = False
        self.fork_start = fork_start
        self.fork_end = fork_end

    def fds(self) -> list[int]:
        """Return the descriptors, in the order in which ``Fresh`` takes them."""
        return [self.sync.fileno(), self.reports, self.stdout, self.stderr, self.pidfd]

    def is_succeeded_by(self, pid: int, pidfd: int) -> None:
        """Note that another process is to be the program, one which this one has forked."""
        os.close(self.pidfd)
        self.pid, self.pidfd = pid, pidfd

    def close(self) -> None:
        """Close our ends; a child that still waits at its start gate sees end-of-file there, and goes."""
        self.sync.close()
        for fd in (self.reports, self.stdout, self.stderr, self.pidfd):
            os.close(fd)


class Ends:
    """Both ends of the sync socket and of three pipes, made before the fork. OSError where no descriptor is left."""

    def __init__(self) -> None:
        self.sync, self.their_sync = pair()
        self._ours: list[int] = []
        self._theirs: list[int] = []
        try:
            for _ in range(3):  # reports, standard output, standard error
                ours, theirs = os.pipe()
                self._ours.append(ours)
                self._theirs.append(theirs)
        except OSError:
            self.close()
            raise

    def theirs(self) -> list[int]:
        """Return the child's ends: sync socket, reports, standard output and error."""
        return [self.their_sync.fileno(), *self._theirs]

    def keep_ours(self, pid: int, fork_start: int, kind: Kind) -> Fresh:
        """Close the child's ends, now that it has them, and return the child."""
        fork_end = monotonic_ns()
        self.their_sync.close()
        for fd in self._theirs:
            os.close(fd)
        for fd in self._ours:
            os.set_blocking(fd, False)
        return Fresh(pid, [self.sync.detach(), *self._ours, os.pidfd_open(pid)], fork_start, fork_end, kind)

    def close(self) -> None:
        """Close both: there was no fork."""
        self.sync.close()
        self.their_sync.close()
        for fd in (*self._ours, *self._theirs):
            os.close(fd)
