"""What a process waits for, as /proc shows it: the call it sleeps in, and whether that is for what a pipe brings.

proc_pid_syscall(5) has the number of the call and its arguments. It asks for the right to trace, which there is for
what one has started oneself. Each answer may be None: the machine does not tell.
"""

from __future__ import annotations

import os
import select
import struct
from contextlib import suppress

from udock_lab.linux.process import descendants, proc_is_ours, state

__all__ = ["Readers", "waits_in"]

# What a teaching kit's processes wait in, by the number of the call (syscalls(2), asm/unistd_64.h).
_CALLS = {
    "x86_64": {0: "read", 1: "write", 7: "poll", 19: "readv", 23: "select", 34: "pause", 35: "nanosleep", 43: "accept",
               45: "recvfrom", 47: "recvmsg", 61: "wait4", 73: "flock", 130: "rt_sigsuspend", 202: "futex",
               230: "clock_nanosleep", 232: "epoll_wait", 247: "waitid", 270: "pselect6", 271: "ppoll", 275: "splice",
               276: "tee", 281: "epoll_pwait", 288: "accept4", 326: "copy_file_range", 441: "epoll_pwait2"},
    "aarch64": {22: "epoll_pwait", 32: "flock", 63: "read", 64: "write", 65: "readv", 72: "pselect6", 73: "ppoll",
                76: "splice", 77: "tee", 95: "waitid", 98: "futex", 101: "nanosleep", 115: "clock_nanosleep",
                133: "rt_sigsuspend", 202: "accept", 207: "recvfrom", 212: "recvmsg", 242: "accept4", 260: "wait4",
                285: "copy_file_range", 441: "epoll_pwait2"},
}  # fmt: skip
_WITH_FD = ("read", "write", "flock", "recvfrom")
_READING = ("read", "readv", "splice", "tee", "copy_file_range")  # from their first argument
_POLLING = ("poll", "ppoll")
_SELECTING = ("select", "pselect6")
_EPOLLING = ("epoll_wait", "epoll_pwait", "epoll_pwait2")
_POLLFD = struct.Struct("ihh")  # poll(2): descriptor, events, what happened
_MOST_POLLED = 1024  # descriptors of one call that are looked at


def waits_in(pid: int) -> str:
    """Return what a process is doing right now, in words.

    For instance ``was waiting in read(3)``, ``was stopped``, ``was running``. Empty where the machine does not tell.
    """
    letter = state(pid)
    if letter is None:
        return ""
    if letter == "T":
        return "was stopped by a signal"
    if letter in ("R", "t"):  # t: held for the moment in which strace looks at it
        return "was running"
    try:
        name, arguments = _call_of(f"/proc/{pid}")
    except (OSError, ValueError, IndexError):
        return ""
    if not name:
        return ""
    return f"was waiting in {name}({arguments[0]})" if name in _WITH_FD else f"was waiting in {name}"


def _call_of(task: str) -> tuple[str, list[int]]:
    """Return the call a thread sleeps in, and its arguments; no name for one that is not in the table.

    ValueError for a thread that runs, OSError where the machine does not tell.
    """
    with open(f"{task}/syscall") as file:
        words = file.read().split()
    return _CALLS.get(os.uname().machine, {}).get(int(words[0]), ""), [int(word, 16) for word in words[1:7]]


class Readers:
    """Who may read a pipe: a process and all below it, as far as they hold its other end.

    ``activity`` changes whenever one of them has done something between two looks.
    """

    def __init__(self, pipe: int, pid: int) -> None:
        self._pipe = _identity(os.fstat(pipe))
        self._pid = pid
        self.activity = 0

    def wait_for_it(self) -> bool | None:
        """Return whether one of them sleeps until something comes through the pipe; None where that is not told."""
        if not proc_is_ours():
            return None
        all_told, held, self.activity = True, False, 0
        for pid in (self._pid, *descendants(self._pid)):
            try:
                if not self._holds(pid):
                    continue
                held = True
                answers = [self._waits(pid, thread) for thread in os.listdir(f"/proc/{pid}/task")]
            except OSError:  # it has ended meanwhile, or the machine does not tell
                all_told &= state(pid) in (None, "Z", "X")
                continue
            if True in answers:
                return True
            all_told &= None not in answers
        return False if held and all_told else None

    def _holds(self, pid: int) -> bool:
        folder = f"/proc/{pid}/fd"
        return any(self._is_the_pipe(pid, int(name)) for name in os.listdir(folder))

    def _is_the_pipe(self, pid: int, fd: int) -> bool:
        with suppress(FileNotFoundError):
            return _identity(os.stat(f"/proc/{pid}/fd/{fd}")) == self._pipe
        return False

    def _waits(self, pid: int, thread: str) -> bool | None:
        """Return whether one thread sleeps until something comes. One that runs does not."""
        task = f"/proc/{pid}/task/{thread}"
        self.activity += _switches(task)
        try:
            name, arguments = _call_of(task)
        except ValueError:
            self.activity += _ticks(task)
            return False
        if name in _READING:
            return self._is_the_pipe(pid, arguments[0])
        if name in _POLLING:
            return self._polls(pid, *arguments[:2])
        if name in _SELECTING:
            return self._selects(pid, *arguments[:2])
        if name in _EPOLLING:
            return self._is_in_epoll(pid, arguments[0])
        return False if name else None

    def _polls(self, pid: int, array: int, count: int) -> bool:
        data = _memory(pid, array, min(count, _MOST_POLLED) * _POLLFD.size)
        wanted = (fd for fd, events, _ in _POLLFD.iter_unpack(data) if fd >= 0 and events & select.POLLIN)
        return any(self._is_the_pipe(pid, fd) for fd in wanted)

    def _selects(self, pid: int, count: int, readable: int) -> bool:
        """Look into the set of those that are waited for to become readable: one bit each (select(2), fd_set)."""
        if not readable:
            return False
        bits = int.from_bytes(_memory(pid, readable, (min(count, _MOST_POLLED) + 63) // 64 * 8), "little")
        return any(bits >> fd & 1 and self._is_the_pipe(pid, fd) for fd in range(min(count, _MOST_POLLED)))

    def _is_in_epoll(self, pid: int, epoll: int) -> bool:
        """Look among the descriptors that an epoll instance watches (proc_pid_fdinfo(5), tfd)."""
        with open(f"/proc/{pid}/fdinfo/{epoll}") as file:
            watched = [int(line.split()[1]) for line in file if line.startswith("tfd:")]
        return any(self._is_the_pipe(pid, fd) for fd in watched)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _memory(pid: int, address: int, size: int) -> bytes:
    """Read what a process has there (proc_pid_mem(5))."""
    fd = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(fd, size, address)
    finally:
        os.close(fd)


def _switches(task: str) -> int:
    """Return how often a thread has gone to sleep, and so has been woken (proc_pid_status(5))."""
    with open(f"{task}/status") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches:")), 0)


def _ticks(task: str) -> int:
    """Return clock ticks that a thread has run (proc_pid_stat(5), utime and stime)."""
    with open(f"{task}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
