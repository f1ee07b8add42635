"""Children at their start gates. One of a kind may be forked ahead, so that the next run finds it there."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic_ns

from udock_lab.linux.process import gone, last_pid, open_loadavg
from udock_lab.runtime.child.forker import LocalForker, RemoteForker
from udock_lab.runtime.child.fresh import Fresh
from udock_lab.runtime.child.kinds import PLAIN, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["Children"]

_PAUSE = 1_000_000  # nanoseconds from a fork to its run: with less, nobody has looked at the last result


class Children:
    """Takes children from a forker, and some ahead of time (``prefork``) until :meth:`close`.

    At most one of each kind that was asked for waits; a plain one always does.
    """

    def __init__(self, forker: LocalForker | RemoteForker, *, prefork: bool) -> None:
        self.forker = forker
        self._preforks = prefork
        self._preforked: dict[Kind, Fresh] = {}
        self._wanted = [PLAIN]  # kinds of which one is forked ahead
        self._in_a_row = False  # the runs come one after another, with no pause between them
        self._loadavg = -1  # read at each start and each end
        self._last_pid_moves = False

    def take(self, kind: Kind = PLAIN, *, fresh: bool) -> Fresh:
        """Return the pre-forked child, or one forked now; ``fresh``: that, and a plain one. OSError as fork(2)."""
        self._fetch()
        self._in_a_row = False
        if fresh:
            return self.forker.fork(rehearse=False)
        if kind not in self._wanted:
            self._wanted.append(kind)
        child = self._preforked.pop(kind, None)
        self._in_a_row = child is not None and monotonic_ns() - child.fork_end < _PAUSE
        if child is not None and gone(child.pidfd):  # somebody killed it while it waited
            self._discard(child)
            child = None
        return child or self._fork(kind)

    def _fork(self, kind: Kind) -> Fresh:
        """Fork one now; a plain one where the kind is refused: that makes the steps itself, and tells which is."""
        try:
            return self.forker.fork(kind, rehearse=False)
        except OSError:
            if kind is PLAIN:
                raise
            return self.forker.fork(rehearse=False)

    def give_back(self, child: Fresh) -> None:
        """Take back a child whose start gate was never opened."""
        if self._preforks and child.kind not in self._preforked and not child.briefed:
            self._preforked[child.kind] = child
        else:
            self._discard(child)

    def expect_another(self) -> None:
        """Have the next child forked already while the end of this one is recorded, if the runs come in a row.

        It costs a single run 0.1 ms, and saves 0.5 ms for each in a row.
        """
        if self._in_a_row and self._preforks and PLAIN not in self._preforked:
            self.forker.ask()

    def _fetch(self) -> None:
        """Have the child that was asked for, before another one is forked."""
        if self.forker.is_asked:
            self._fork_ahead(PLAIN)

    def prepare(self) -> None:
        """Pay for the next fork now, when nobody waits."""
        if not self._preforks:
            return
        if self._loadavg < 0:
            self._loadavg = open_loadavg()
        for kind in self._wanted:
            if kind not in self._preforked:
                self._fork_ahead(kind)

    def _fork_ahead(self, kind: Kind) -> None:
        before = last_pid(self._loadavg)
        try:
            child = self.forker.fork(kind, rehearse=True)
        except OSError:  # no process is left now, or it is not permitted: the run that needs one says so
            return
        if kind in self._preforked:  # one was given back since this one was asked for
            self._discard(child)
            return
        self._preforked[kind] = child
        if not self._last_pid_moves:
            self._last_pid_moves = before < child.pid <= last_pid(self._loadavg)

    def close(self) -> None:
        """Fork nothing ahead any more."""
        self._fetch()
        self._preforks = False
        while self._preforked:
            self._discard(self._preforked.popitem()[1])

    def newest_pid(self) -> int | None:
        """Return the newest process id of the machine, or None where /proc/loadavg does not tell (lxcfs)."""
        return last_pid(self._loadavg) if self._last_pid_moves else None

    def _discard(self, child: Fresh) -> None:
        """End a child that waits at its start gate: end-of-file there tells it to go.

        One that has its plan may be busy with steps before the gate, or wait for what it forked.
        """
        if child.briefed:
            with suppress(OSError):
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
        child.close()
        self.forker.reap(child.pid)
