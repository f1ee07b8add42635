"""How a caller reaches a supervisor: the notebook's launcher, or one forked for this run.

The launcher is one per process, started at ``%load_ext udock_lab``, or else at the first run, with ``subprocess`` (one
vfork), and shared by every :class:`~udock_lab.runtime.engine.Runtime`. A small single-threaded program, such as the
command line, forks its supervisor instead: that is cheaper than starting an interpreter.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from contextlib import closing, suppress

from udock_lab.errors import LauncherDied
from udock_lab.linux.prctl import PR_SET_CHILD_SUBREAPER, prctl
from udock_lab.linux.process import children, gone
from udock_lab.runtime.child.launcher import become_supervisor, command_line
from udock_lab.runtime.protocol import ProbeRequest, Refused, Request, RunRequest, encode, to_caller
from udock_lab.runtime.state.shortage import shortage, shortage_told
from udock_lab.wire.framing import adopt, pair, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import subprocess
    from _socket import socket
    from typing import Protocol
else:
    import _signal as signal

    Protocol = object  # whom only type checkers ask

__all__ = ["Connection", "ForkedSupervisor", "Launcher", "supervisors_of", "the_launcher"]


class Connection(Protocol):
    """Something that takes requests."""

    def request(self, message: Request, fds: Sequence[int]) -> bool:
        """Hand over a request and its descriptors; LauncherDied if nobody takes it.

        Return whether Taken follows: until it comes, nothing is done, and what is lost may be asked for once more.
        """

    def reap(self) -> None:
        """Wait for a process that ends with what a request started: it has said its last word."""

    def supervisors(self) -> list[int]:
        """Return the processes between the caller and a container; a program in one may have stopped them."""

    def abandon(self) -> None:
        """Abandon supervisors that are stopped: the next request goes to another one."""


def supervisors_of(pid: int) -> list[int]:
    """Return a launcher and its forker, the one child in its session; or a supervisor that has none."""
    return [pid, *(child for child in children(pid) if _leads_no_session(child))]


def _leads_no_session(pid: int) -> bool:
    """Return whether the process leads no session; containers lead one of their own, keepers too (setsid(2))."""
    try:
        return os.getsid(pid) != pid
    except ProcessLookupError:
        return False


class Launcher:
    """The helper process of this notebook kernel. Started when first needed, and again if it has died."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.sock: socket | None = None
        self._minds_forks = False

    @property
    def pid(self) -> int | None:
        """The launcher's process id, or None before the first request."""
        return self.process.pid if self.process else None

    def request(self, message: Request, fds: Sequence[int]) -> bool:
        data = encode(message)
        for _ in range(2):
            sock = self._connected()
            try:
                send(sock, data, fds)
                return True
            except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError):
                self.close()
        raise LauncherDied("The launcher process dies at once.", "Restart the kernel, and see: %mdock doctor")

    def reap(self) -> None:
        """Wait for nothing: the launcher serves the next request, too."""

    def supervisors(self) -> list[int]:
        return supervisors_of(self.pid) if self.pid else []

    def helpers(self) -> list[int]:
        """Return the launcher and all its children: the forker, and a keeper for each sandbox."""
        return [self.pid, *children(self.pid)] if self.pid else []

    def abandon(self) -> None:
        self.close()

    def start(self) -> None:
        """Start now rather than at the first run, and do not wait until it is ready. OSError or MdockError if not."""
        self._connected()

    def _connected(self) -> socket:
        if self.sock is None:
            import subprocess  # here: the command line, which starts no launcher, pays for no more than it uses

            ours, theirs = pair()
            with closing(theirs):
                try:
                    with shortage_told():
                        self.process = subprocess.Popen(
                            command_line(theirs.fileno()),
                            pass_fds=(theirs.fileno(),),
                            start_new_session=True,
                            stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            cwd="/",
                        )
                except BaseException:
                    ours.close()
                    raise
            self.sock = ours
            if not self._minds_forks:
                self._minds_forks = True
                os.register_at_fork(after_in_child=self._forget)
        return self.sock

    def _forget(self) -> None:
        """Leave the launcher to the parent in a forked child: a copy of its socket would keep it when that has gone."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None
        if self.process is not None:
            self.process.returncode = 0  # nothing to wait for
            self.process = None

    def close(self) -> None:
        """Let the launcher go; it ends with its last detached container."""
        if self.sock is not None:
            self.sock.close()
            self.sock = None
        if self.process is not None:
            from subprocess import TimeoutExpired

            with suppress(TimeoutExpired):
                self.process.wait(0.2)
            self.process.returncode = self.process.returncode or 0  # detached containers may keep it alive
            self.process = None


_PARTING = 1.0  # seconds that a supervisor has to go after its last word
_LAUNCHER = Launcher()


def the_launcher() -> Launcher:
    """Return the one launcher of this process."""
    return _LAUNCHER


class ForkedSupervisor:
    """A supervisor forked for one request, in a session of its own. For single-threaded callers only."""

    pid: int | None = None

    def __init__(self) -> None:
        self._ours: dict[int, float] = {}  # pid to the seconds that it may take to go

    def request(self, message: Request, fds: Sequence[int]) -> bool:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            with shortage_told():
                pid = os.fork()
            if pid == 0:
                try:
                    _supervise_or_refuse(message, list(fds))  # it forgets what is sent to our process group meanwhile
                finally:
                    os._exit(0)
            self._ours[pid] = 0.0 if isinstance(message, RunRequest) and message.spec.detach else _PARTING
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return False

    def reap(self) -> None:
        """Wait for supervisors that are done: not every machine has a process 1 that would.

        One that cannot record an end yet lives on, and is left alone.
        """
        self._ours = {pid: patience for pid, patience in self._ours.items() if not _reaped(pid, patience)}

    def supervisors(self) -> list[int]:
        return list(self._ours)

    def abandon(self) -> None:
        """Do nothing: each request has one of its own anyway."""

    def close(self) -> None:
        """Close nothing: it ends with its container."""


def _reaped(pid: int, patience: float) -> bool:
    """Return whether this child has ended, or does within ``patience`` seconds.

    Then nothing is left of it (waitpid(2)).
    """
    try:
        pidfd = os.pidfd_open(pid)
        gone(pidfd, patience)
        os.close(pidfd)
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except (ChildProcessError, ProcessLookupError):  # somebody waited for it already
        return True


def _supervise_or_refuse(message: Request, fds: list[int]) -> None:
    """Supervise in the forked process, or tell the caller why not."""
    os.setsid()
    try:
        _supervise(message, _keep_only(fds))
    except (OSError, MemoryError) as error:
        number = error.errno if isinstance(error, OSError) else errno.ENOMEM
        what, hint = shortage(number) or (f"mdock could not start a supervisor: {error}.", "See: mdock doctor")
        with suppress(OSError):  # the caller is told already, or has gone
            send(adopt(fds[0]), to_caller(Refused(error="MdockError", message=what, hint=hint)))


def _supervise(message: Request, fds: list[int]) -> None:
    """Serve one request and end. ``fds`` are all that is kept of the caller's."""
    from udock_lab.runtime.supervisor.serve import Supervisor

    become_supervisor()
    if isinstance(message, ProbeRequest):
        from udock_lab.runtime.doctor import answer_probe

        answer_probe(fds[0], message.what)
        return
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    supervisor = Supervisor(None, prefork=False)
    supervisor.accept(message, fds)
    supervisor.serve()


def _keep_only(fds: list[int]) -> list[int]:
    """Close everything of the caller's, so that nobody waits for our copies: its pipes, its sockets."""
    following = 3
    for fd in sorted(fd for fd in fds if fd > 2):
        os.closerange(following, fd)
        following = fd + 1
    os.closerange(following, 1 << 20)
    kept = [fd if fd > 2 else fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3) for fd in fds]
    for fd in kept:
        os.set_inheritable(fd, False)
    return kept
