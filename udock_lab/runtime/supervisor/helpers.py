"""Processes of ours that are no containers: what the launcher starts for a kernel that does not fork."""

from __future__ import annotations

import fcntl
import os

from udock_lab.runtime.child.forker import LocalForker, RemoteForker
from udock_lab.wire.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal

__all__ = ["Helpers"]


class Helpers:
    """Starts them and reaps them, and ends what they leave."""

    def __init__(self, loop: Loop, forker: LocalForker | RemoteForker) -> None:
        self._loop, self._forker = loop, forker
        self._pids: set[int] = set()

    def probe(self, answer: int, what: str) -> None:
        """Try what this machine permits, in a child: probes change the process that makes them."""
        pid = os.fork()
        if pid == 0:
            try:
                from udock_lab.runtime.doctor import answer_probe

                answer_probe(answer, what)
            finally:
                os._exit(0)
        os.close(answer)
        self._look_after(pid)

    def spawn(self, argv: tuple[str, ...], sock: int) -> None:
        """Start a program in a session of its own; its end of a socket becomes descriptor 3, a pidfd of ours 4."""
        me = os.pidfd_open(os.getpid())
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (sock, me)]  # out of dup2's way
        for fd in (sock, me):
            os.close(fd)
        files = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate(high, 3)]
        self._look_after(os.posix_spawn(argv[0], argv, os.environ, file_actions=files, setsid=True))
        for fd in high:
            os.close(fd)

    def go_on(self) -> None:
        """Let those that were stopped see that the kernel is gone."""
        for pid in self._pids:
            os.kill(pid, signal.SIGCONT)

    def kill_leftovers(self) -> bool:
        """Kill what an ended container left running; return True when nothing is left."""
        return self._forker.kill_leftovers(self._pids)

    def end_leftovers(self) -> None:
        """Kill what a child that was given up left running, until no more comes."""
        if not self.kill_leftovers():
            self._loop.later(0.01, self.end_leftovers)

    def _look_after(self, pid: int) -> None:
        self._pids.add(pid)
        pidfd = os.pidfd_open(pid)

        def reap(_: int) -> None:
            self._loop.close(pidfd)
            os.waitpid(pid, 0)
            self._pids.discard(pid)
            self._kill_orphans()

        self._loop.watch(pidfd, reap)

    def _kill_orphans(self) -> None:
        """Kill what a dead helper had started, until no more comes: we are the next subreaper above it."""
        if not LocalForker().kill_leftovers(self._pids | self._forker.own()):
            self._loop.later(0.01, self._kill_orphans)
