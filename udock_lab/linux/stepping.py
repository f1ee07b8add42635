"""Stop a child before each system call that can change a file, and look at what others would see just then.

A filter with a listener (seccomp_unotify(2), Linux 5.5): the kernel holds the caller, tells whoever has the
listener, and lets the call go on when told to. Nothing of the call has happened at that moment. So a child that is
killed there leaves precisely what was seen there, and a reader who comes by sees it too.
No privilege is needed, and no tracer: it works where ptrace is refused.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import struct
from contextlib import suppress

from udock_lab.linux.seccomp_filters import listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["FILE_CALLS", "FORK_CALLS", "PROGRAM_CALLS", "Stop", "Stops", "step_by_step", "stop_before"]

# Name to number (x86_64, aarch64; 0 where there is none): all that makes, changes, renames and removes files.
FILE_CALLS = {
    "open": (2, 0), "creat": (85, 0), "openat": (257, 56), "openat2": (437, 437),
    "write": (1, 64), "pwrite64": (18, 68), "writev": (20, 66), "pwritev": (296, 70), "pwritev2": (328, 287),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "splice": (275, 76), "fallocate": (285, 47),
    "truncate": (76, 45), "ftruncate": (77, 46), "msync": (26, 227),
    "rename": (82, 0), "renameat": (264, 38), "renameat2": (316, 276), "link": (86, 0), "linkat": (265, 37),
    "symlink": (88, 0), "symlinkat": (266, 36), "unlink": (87, 0), "unlinkat": (263, 35),
    "fsync": (74, 82), "fdatasync": (75, 83),
}  # fmt: skip
PROGRAM_CALLS = {"execve": (59, 221), "execveat": (322, 281)}
FORK_CALLS = {"clone": (56, 220), "clone3": (435, 435), "fork": (57, 0), "vfork": (58, 0)}
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND
_GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
_EVENT = struct.Struct("QIIiIQ6Q")  # struct seccomp_notif
_FLAGS_AT = {"open": 1, "openat": 2}  # which argument says for what a file is opened
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_REPLY = struct.Struct("QqiI")  # struct seccomp_notif_resp


class Stop:
    """A process (``pid``) that stands before a system call, and what it gives it: numbers, as they are in registers."""

    __slots__ = ("arguments", "name", "number", "pid")

    def __init__(self, number: int, pid: int, name: str, arguments: list[int]) -> None:
        self.number, self.pid, self.name, self.arguments = number, pid, name, arguments


class Stops:
    """Those who stand before one of these ``calls``; ``fd`` is the listener (:func:`stop_before`)."""

    def __init__(self, fd: int, calls: Mapping[str, tuple[int, int]]) -> None:
        self.fd = fd
        self._names = {numbers[_machine()]: name for name, numbers in calls.items()}
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)

    def take(self) -> Stop | None:
        """Return the next one; None where nobody stands, or whoever stood there has been killed."""
        if not any(happened & select.POLLIN for _, happened in self._poll.poll(0)):
            return None
        event = bytearray(_EVENT.size)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, event, True)
        except FileNotFoundError:
            return None
        number, pid, _, call, _, _, *arguments = _EVENT.unpack(event)
        return Stop(number, pid, self._names[call], arguments)

    def let_on(self, stop: Stop) -> None:
        """Let the call be made."""
        with suppress(FileNotFoundError):  # it has been killed, or a signal came first and it will stand there again
            fcntl.ioctl(self.fd, _ANSWER, bytearray(_REPLY.pack(stop.number, 0, 0, _GO_ON)), True)


def stop_before(calls: Mapping[str, tuple[int, int]]) -> int:
    """Have this process, and all that it forks, stop before these calls; return the listener. OSError."""
    return listener([numbers[_machine()] for numbers in calls.values()])


def _machine() -> int:
    return os.uname().machine == "aarch64"


def step_by_step(
    action: Callable[[], object],
    look: Callable[[str], None],
    *,
    kill_at: int = 0,
    calls: Mapping[str, tuple[int, int]] = FILE_CALLS,
) -> int | None:
    """Run ``action`` in a child that is stopped before each of ``calls``; ``look(name)`` is called meanwhile.

    A file that is opened to be read stops nobody. With ``kill_at`` the child is killed (SIGKILL) at that stop,
    counted from 1, the call not made. Returns the child's wait status (wait(2)); it is 0 when ``action`` came back
    and 256 when it raised. None where this kernel or machine has no such listener; nothing was run then. For
    single-threaded callers.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _be_watched(action, theirs, calls)
    theirs.close()
    with ours:
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        if fds:
            _follow(pid, fds[0], look, kill_at, calls)
            os.close(fds[0])
    status = os.waitpid(pid, 0)[1]
    return status if fds else None


def _be_watched(action: Callable[[], object], theirs: socket.socket, calls: Mapping[str, tuple[int, int]]) -> None:
    """Be the child: hand the listener over, act, end. Never returns."""
    code = 1
    try:
        with theirs:
            fd = stop_before(calls)
            socket.send_fds(theirs, [b"."], [fd])
            os.close(fd)
        action()
        code = 0
    finally:
        os._exit(code)


def _follow(pid: int, fd: int, look: Callable[[str], None], kill_at: int, calls: Mapping[str, tuple[int, int]]) -> None:
    """Follow from stop to stop, until the child has ended."""
    stops = Stops(fd, calls)
    child = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(child, select.POLLIN)
    count = 0
    try:
        while (child, select.POLLIN) not in poll.poll():
            stop = stops.take()
            if stop is None:
                continue
            if stop.name not in _FLAGS_AT or stop.arguments[_FLAGS_AT[stop.name]] & _CHANGES:
                count += 1
                look(stop.name)
                if count == kill_at:
                    os.kill(pid, signal.SIGKILL)
                    return
            stops.let_on(stop)
    finally:
        os.close(child)
