"""Who forks and reaps for a supervisor: itself, or a forker process that is smaller still.

After a fork every page that either side writes is copied first (copy-on-write), so a process that forks pays
for it in everything it does next. The launcher writes records, logs and messages; it lets a *forker* do
nothing but fork and reap. The forker is forked from the launcher once, before the launcher imports the rest
of itself: what a child has to copy, and to throw away at exec, is as small as it can be.

The forker is the containers' parent and their subreaper; should it die, the launcher, a subreaper too,
inherits them. It adopts, too: where a child forks the process that will be the program, that one becomes the forker's
own, and its wait status comes unfolded.
"""

from __future__ import annotations

import os
import select
from errno import ECHILD, EMFILE
from time import monotonic_ns

from udock_lab.isolation.sequence import make_steps
from udock_lab.linux.namespaces import CLONE_NEWPID, setns, unshare
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from udock_lab.linux.process import children, descendants
from udock_lab.runtime.child.fresh import Fresh
from udock_lab.runtime.child.kinds import KINDS, PLAIN, Kind
from udock_lab.runtime.child.launch import fork_child
from udock_lab.wire.framing import pack, pair, receive, send, unpack

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket
    from typing import NoReturn
else:
    import _signal as signal

__all__ = ["LocalForker", "RemoteForker", "start_forker"]


class LocalForker:
    """Forks and reaps in this very process, which must be single-threaded and a subreaper."""

    is_asked = False

    def __init__(self) -> None:
        self.alive: set[int] = set()
        self.ended: dict[int, int] = {}  # children that were reaped before anybody asked for their wait status

    def fork(self, kind: Kind = PLAIN, *, rehearse: bool) -> Fresh:
        """Fork a child that waits at its start gate. OSError, too, where a kind is not permitted here."""
        fork = _fork_in_new_pids if "new_pids" in kind.forked else fork_child
        child = fork(kind, rehearsed=rehearse)
        self.alive.add(child.pid)
        return child

    def ask(self) -> None:
        """Do nothing ahead: to fork here takes the same time now and later."""

    def adopt(self, pid: int, child: int) -> int:
        """Take for our own what ``child`` has forked, in its place; a pidfd of it.

        The child, which waits for that, is ended: whoever it forked is ours then. It is spared before, or it would be
        taken for a leftover at that moment. OSError (ECHILD) where it has ended meanwhile, and no descriptor is left.
        """
        if pid in self.alive:
            raise OSError(ECHILD, os.strerror(ECHILD))  # its number is another's now
        self.alive.add(pid)
        try:
            if _is_ours(child):
                os.kill(child, signal.SIGKILL)
                self.ended[child] = os.waitpid(child, 0)[1]
            else:
                self.ended.setdefault(child, signal.SIGKILL)  # reaped by a forker that died before it could say
            if not _is_ours(pid):
                raise OSError(ECHILD, os.strerror(ECHILD))
            return os.pidfd_open(pid)
        except OSError:
            self.alive.discard(pid)
            raise

    def reap(self, pid: int) -> int:
        """Wait for this child and it alone (waitpid(2)); its raw wait status."""
        status = self.ended.pop(pid) if pid in self.ended else os.waitpid(pid, 0)[1]
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


def _fork_in_new_pids(kind: Kind, *, rehearsed: bool) -> Fresh:
    """Fork a child that is process 1 of a new pid namespace (pid_namespaces(7)); we stay in ours, and may do so again.

    Raises OSError without the privilege for it.
    """
    make_steps([(name,) for name in (*kind.forked, *kind.ahead)])  # so the child, and those after it, know them
    own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        start = monotonic_ns()
        unshare(CLONE_NEWPID)
        try:
            return fork_child(kind, rehearsed=rehearsed, made={"new_pids": (0, start, monotonic_ns())})
        finally:
            setns(own, CLONE_NEWPID)
    finally:
        os.close(own)


def _is_ours(pid: int) -> bool:
    """Return whether it is a child of ours that nobody has reaped: then its number is its own."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


class RemoteForker:
    """The launcher's side: asks the forker process, over a socket; once that is dead, does its work itself."""

    def __init__(self, sock: socket, pid: int) -> None:
        self.sock = sock
        self.pid = pid
        self.alive: set[int] = set()
        self.ended: dict[int, int] = {}
        self.is_asked = False  # for a child that was not fetched yet
        self._answers: dict[str, list[tuple[list[int], list[int]]]] = {"child": [], "adopted": [], "swept": []}
        self.successor: LocalForker | None = None

    def own(self) -> set[int]:
        """Return the children of the launcher that are no orphans: the forker, or what it left to us."""
        return {self.pid} | self.alive | (self.successor.own() if self.successor else set())

    def ask(self) -> None:
        """Have the next plain child forked while we do something else; :meth:`fork` fetches it."""
        if self.successor is None and not self.is_asked:
            try:
                send(self.sock, pack(["fork", PLAIN.name, True]))
                self.is_asked = True
            except OSError:
                self._take_over()

    def fork(self, kind: Kind = PLAIN, *, rehearse: bool) -> Fresh:
        """Fork a child that waits at its start gate: the forker does it, we get its descriptors."""
        asked, self.is_asked = self.is_asked, False
        if self.successor is None:
            try:
                if not asked:
                    send(self.sock, pack(["fork", kind.name, rehearse]))
                words, fds = self._answer("child")
            except (EOFError, OSError):
                self._take_over()
            else:
                if len(words) == 1:  # it was refused
                    raise OSError(words[0], os.strerror(words[0]))
                self.alive.add(words[0])
                if len(fds) < Fresh.DESCRIPTORS:
                    self._give_up(words[0], fds)
                return Fresh(words[0], fds, words[1], words[2], kind)
        return self._take_over().fork(kind, rehearse=rehearse)

    def adopt(self, pid: int, child: int) -> int:
        """Have the forker adopt it, as :meth:`LocalForker.adopt`; a pidfd."""
        self.alive.add(pid)
        if self.successor is None:
            try:
                send(self.sock, pack(["adopt", pid, child]))
                words, fds = self._answer("adopted")
            except (EOFError, OSError):
                pass
            else:
                if fds:
                    return fds[0]
                if not words:  # it is adopted, but its descriptor found no room here
                    os.kill(pid, signal.SIGKILL)
                    self.reap(pid)
                self.alive.discard(pid)
                raise OSError(*((words[0], os.strerror(words[0])) if words else (EMFILE, os.strerror(EMFILE))))
        self.alive.discard(pid)
        successor = self._take_over()
        try:
            return successor.adopt(pid, child)
        finally:
            if child in self.ended:  # the forker could still say how it ended
                successor.ended.pop(child, None)

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
            self._see_it_end()
            self.successor = LocalForker()
            self.successor.alive |= self.alive
        return self.successor

    def _see_it_end(self) -> None:
        """Wait until the forker has ended: its socket closes a moment before its children are ours (wait(2), WNOWAIT).

        Whatever else was wrong with it, nobody can make use of it any more.
        """
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        except (ProcessLookupError, ChildProcessError):
            pass  # it is reaped already

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
    """Fork and adopt on request, reap what has ended, kill what is left over; until the launcher is gone."""
    serving = _Serving(sock)
    while serving.turn():
        pass


class _Serving:
    """The forker's side of the socket: its children, each watched by its pidfd."""

    def __init__(self, sock: socket) -> None:
        self._sock, self._forker, self._epoll = sock, LocalForker(), select.epoll()
        self._watched: dict[int, int] = {}  # pidfd to pid
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def turn(self) -> bool:
        """Serve what has happened; False when the launcher is gone."""
        for fd, _ in self._epoll.poll():
            if fd == self._sock.fileno():
                return self._answer()  # which may close descriptors: what else has happened, is told again
            pid = self._watched[fd]
            send(self._sock, pack(["ended", pid, self._forker.reap(pid)]))  # first of all: the launcher waits for it
            self._forget(fd)
        return True

    def _answer(self) -> bool:
        data, _ = receive(self._sock)
        if not data:
            return False
        what, *words = unpack(data)
        if what == "sweep":
            send(self._sock, pack(["swept", self._forker.kill_leftovers()]))
            return True
        do, answer = (self._adopt, "adopted") if what == "adopt" else (self._fork, "child")
        try:
            do(*words)
        except OSError as error:  # no process or descriptor is left, or it is not permitted: the launcher says so
            send(self._sock, pack([answer, error.errno]))
        return True

    def _fork(self, kind: str, rehearse: bool) -> None:
        child = self._forker.fork(KINDS[kind], rehearse=rehearse)
        send(self._sock, pack(["child", child.pid, child.fork_start, child.fork_end]), child.fds())
        watched = os.dup(child.pidfd)
        child.close()
        self._watch(watched, child.pid)

    def _adopt(self, pid: int, child: int) -> None:
        try:
            pidfd = self._forker.adopt(pid, child)
        finally:
            for fd in [fd for fd, watched in self._watched.items() if watched == child]:
                self._forget(fd)
                send(self._sock, pack(["ended", child, self._forker.reap(child)]))
            self._forker.ended.pop(child, None)  # it had ended before, which is told
        send(self._sock, pack(["adopted"]), [pidfd])
        self._watch(pidfd, pid)

    def _watch(self, pidfd: int, pid: int) -> None:
        self._watched[pidfd] = pid
        self._epoll.register(pidfd, select.EPOLLIN)

    def _forget(self, pidfd: int) -> None:
        self._epoll.unregister(pidfd)
        os.close(pidfd)
        del self._watched[pidfd]
