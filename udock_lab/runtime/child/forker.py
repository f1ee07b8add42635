"""Who forks and reaps for a supervisor: itself, or a forker process that is smaller still.

After a fork every page that either side writes is copied first (copy-on-write), so a process that forks pays
for it in everything it does next. The launcher writes records, logs and messages; it lets a *forker* do
nothing but fork and reap. The forker is forked from the launcher once, before the launcher imports the rest
of itself: what a child has to copy, and to throw away at exec, is as small as it can be.

The forker is the containers' parent and their subreaper; should it die, the launcher, a subreaper too,
inherits them.
"""

from __future__ import annotations

import os
import select
from errno import EMFILE

from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from udock_lab.linux.process import children, descendants
from udock_lab.runtime.child.launch import Fresh, fork_child
from udock_lab.wire.framing import pack, pair, receive, send, unpack

TYPE_CHECKING = False  # the module typing would be one more thing to copy at each fork
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from typing import NoReturn
else:
    import _signal as signal  # the C half: the other one imports enum

__all__ = ["LocalForker", "RemoteForker", "start_forker"]


class LocalForker:
    """Forks and reaps in this very process, which must be single-threaded and a subreaper."""

    is_asked = False

    def __init__(self) -> None:
        self.alive: set[int] = set()

    def fork(self, *, rehearse: bool) -> Fresh:
        """Fork a child that waits at its start gate."""
        child = fork_child(rehearsed=rehearse)
        self.alive.add(child.pid)
        return child

    def ask(self) -> None:
        """Do nothing ahead: to fork here takes the same time now and later."""

    def reap(self, pid: int) -> int:
        """Wait for this child and it alone (waitpid(2)); its raw wait status."""
        _, status = os.waitpid(pid, 0)
        self.alive.discard(pid)
        return status

    def own(self) -> set[int]:
        """Return the children of this process that are no orphans."""
        return self.alive

    def kill_leftovers(self, spared: set[int] = frozenset()) -> bool:  # type: ignore[assignment]
        """Kill and reap every child that nobody forked here, with all below it. True when none is left.

        Orphans of an ended container come to us because we are their nearest subreaper (prctl(2)).
        """
        left = [pid for pid in children(os.getpid()) if pid not in self.alive and pid not in spared]
        for pid in left:
            for below in (pid, *descendants(pid)):
                try:  # noqa: SIM105 - contextlib would be one more thing to copy at each fork
                    os.kill(below, signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass  # gone already, or not ours to kill
        for pid in left:
            try:  # noqa: SIM105
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass  # reaped already
        return not left


class RemoteForker:
    """The launcher's side: asks the forker process, over a socket; once that is dead, does its work itself."""

    def __init__(self, sock: socket, pid: int) -> None:
        self.sock = sock
        self.pid = pid
        self.alive: set[int] = set()
        self.ended: dict[int, int] = {}
        self.is_asked = False  # for a child that was not fetched yet
        self._answers: dict[str, list[tuple[list[int], list[int]]]] = {"child": [], "swept": []}
        self.successor: LocalForker | None = None

    def own(self) -> set[int]:
        """Return the children of the launcher that are no orphans: the forker, or what it left to us."""
        return {self.pid} | self.alive | (self.successor.own() if self.successor else set())

    def ask(self) -> None:
        """Have the next child forked while we do something else; :meth:`fork` fetches it."""
        if self.successor is None and not self.is_asked:
            try:
                send(self.sock, pack(["fork", True]))
                self.is_asked = True
            except OSError:
                self._take_over()

    def fork(self, *, rehearse: bool) -> Fresh:
        """Fork a child that waits at its start gate: the forker does it, we get its descriptors."""
        asked, self.is_asked = self.is_asked, False
        if self.successor is None:
            try:
                if not asked:
                    send(self.sock, pack(["fork", rehearse]))
                words, fds = self._answer("child")
            except (EOFError, OSError):
                self._take_over()
            else:
                if len(words) == 1:  # it was refused
                    raise OSError(words[0], os.strerror(words[0]))
                self.alive.add(words[0])
                if len(fds) < Fresh.DESCRIPTORS:
                    self._give_up(words[0], fds)
                return Fresh(words[0], fds, words[1], words[2])
        return self._take_over().fork(rehearse=rehearse)

    def _give_up(self, pid: int, fds: list[int]) -> NoReturn:
        """Give up a child of which not all descriptors found room here (recvmsg(2), MSG_CTRUNC); raise OSError.

        Without them its start gate ends, and the child with it.
        """
        for fd in fds:
            os.close(fd)
        self.reap(pid)
        raise OSError(EMFILE, os.strerror(EMFILE))

    def reap(self, pid: int) -> int:
        """Return the raw wait status of a child that has ended, from the forker's waitpid."""
        while self.successor is None and pid not in self.ended:
            try:
                self._take()
            except (EOFError, OSError):
                self._take_over()
        self.alive.discard(pid)
        return self.ended.pop(pid) if pid in self.ended else self._take_over().reap(pid)

    def kill_leftovers(self, spared: set[int] = frozenset()) -> bool:  # type: ignore[assignment]
        """Kill leftovers as :meth:`LocalForker.kill_leftovers`, where the orphans are: at the forker."""
        if self.successor is None:
            try:
                send(self.sock, pack(["sweep"]))
                return bool(self._answer("swept")[0][0])
            except (EOFError, OSError):
                self._take_over()
        return self._take_over().kill_leftovers(spared)

    def _take_over(self) -> LocalForker:
        """Fork here from now on: the forker is dead, and its children are ours, the next subreaper above (prctl(2))."""
        if self.successor is None:
            self.successor = LocalForker()
            self.successor.alive |= self.alive
        return self.successor

    def _answer(self, kind: str) -> tuple[list[int], list[int]]:
        """Wait for one kind of answer; what else comes is kept for whoever waits for that."""
        while not self._answers[kind]:
            self._take()
        return self._answers[kind].pop(0)

    def _take(self) -> None:
        data, fds = receive(self.sock)
        if not data:
            raise EOFError("the forker is gone")
        said, *words = unpack(data)
        if said == "ended":
            self.ended[words[0]] = words[1]
        else:
            self._answers[said].append((words, fds))


def start_forker() -> RemoteForker:
    """Fork the forker. Call it early, while this process is small."""
    ours, theirs = pair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, 1 << 16)
            prctl(PR_SET_CHILD_SUBREAPER, 1)
            prctl(PR_SET_PDEATHSIG, signal.SIGCONT)  # stopped or not, we see that the launcher is gone
            _serve(theirs)
        finally:
            os._exit(0)
    theirs.close()
    return RemoteForker(ours, pid)


def _serve(sock: socket) -> None:
    """Fork on request, reap what has ended, kill what is left over; until the launcher is gone."""
    forker, epoll = LocalForker(), select.epoll()
    pidfds: dict[int, int] = {}
    epoll.register(sock.fileno(), select.EPOLLIN)
    while True:
        for fd, _ in epoll.poll():
            if fd != sock.fileno():
                pid = pidfds.pop(fd)
                send(sock, pack(["ended", pid, forker.reap(pid)]))  # first of all: the launcher waits for it
                epoll.unregister(fd)
                os.close(fd)
                continue
            data, _ = receive(sock)
            if not data:
                return
            request = unpack(data)
            if request[0] == "sweep":
                send(sock, pack(["swept", forker.kill_leftovers()]))
                continue
            try:
                child = forker.fork(rehearse=request[1])
            except OSError as error:  # no process or descriptor is left: the launcher says so
                send(sock, pack(["child", error.errno]))
                continue
            send(sock, pack(["child", child.pid, child.fork_start, child.fork_end]), child.fds())
            watched = os.dup(child.pidfd)
            child.close()
            pidfds[watched] = child.pid
            epoll.register(watched, select.EPOLLIN)
