"""Children at their start gates. One may be forked ahead, so that the next run finds it there."""

from __future__ import annotations

import select
from time import monotonic_ns

from udock_lab.linux.process import last_pid, open_loadavg
from udock_lab.runtime.child.forker import LocalForker, RemoteForker
from udock_lab.runtime.child.launch import Fresh

__all__ = ["Children", "has_ended"]

_PAUSE = 1_000_000  # nanoseconds from a fork to its run: with less, nobody has looked at the last result


class Children:
    """Takes children from a forker, and one ahead of time (``prefork``) until :meth:`close`."""

    def __init__(self, forker: LocalForker | RemoteForker, *, prefork: bool) -> None:
        self.forker = forker
        self._preforks = prefork
        self._preforked: Fresh | None = None
        self._in_a_row = False  # the runs come one after another, with no pause between them
        self._loadavg = -1  # read at each start and each end
        self._last_pid_moves = False

    def take(self, *, fresh: bool) -> Fresh:
        """Return the pre-forked child, or one forked now; ``fresh``: the latter. OSError as fork(2)."""
        if self.forker.is_asked:
            self.prepare()
        child, self._preforked = (None, self._preforked) if fresh else (self._preforked, None)
        self._in_a_row = child is not None and monotonic_ns() - child.fork_end < _PAUSE
        if child is not None and has_ended(child.pidfd):  # somebody killed it while it waited
            self._discard(child)
            child = None
        return child or self.forker.fork(rehearse=False)

    def give_back(self, child: Fresh) -> None:
        """Take back a child whose start gate was never opened."""
        if self._preforks and self._preforked is None and not child.briefed:
            self._preforked = child
        else:
            self._discard(child)

    def expect_another(self) -> None:
        """Have the next child forked already while the end of this one is recorded, if the runs come in a row.

        It costs a single run 0.1 ms, and saves 0.5 ms for each in a row.
        """
        if self._in_a_row and self._preforks and self._preforked is None:
            self.forker.ask()

    def prepare(self) -> None:
        """Pay for the next fork now, when nobody waits."""
        if not self._preforks or self._preforked is not None:
            return
        if self._loadavg < 0:
            self._loadavg = open_loadavg()
        before = last_pid(self._loadavg)
        try:
            self._preforked = self.forker.fork(rehearse=True)
        except OSError:  # no process is left now: the run that needs one says so
            return
        if not self._last_pid_moves:
            self._last_pid_moves = before < self._preforked.pid <= last_pid(self._loadavg)

    def close(self) -> None:
        """Fork nothing ahead any more."""
        if self.forker.is_asked:
            self.prepare()
        self._preforks = False
        if self._preforked is not None:
            self._discard(self._preforked)
            self._preforked = None

    def newest_pid(self) -> int | None:
        """Return the newest process id of the machine, or None where /proc/loadavg does not tell (lxcfs)."""
        return last_pid(self._loadavg) if self._last_pid_moves else None

    def _discard(self, child: Fresh) -> None:
        """End a child that waits at its start gate: end-of-file there tells it to go."""
        child.close()
        self.forker.reap(child.pid)


def has_ended(pidfd: int) -> bool:
    """Return whether the process has ended: then its pidfd is readable (pidfd_open(2))."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))
