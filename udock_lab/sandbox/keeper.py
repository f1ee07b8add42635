"""The keeper of one sandbox: starts the runner, watches all that comes of it, ends it, leaves nothing.

The launcher starts it for one run; it ends with that run, or when the notebook's kernel is gone. It is the
subreaper of everything in the sandbox, so no orphan escapes it (prctl(2)). Output comes over Unix sockets on which
the kernel adds the writer's pid (unix(7), SO_PASSCRED): every line has an author.

This file runs as ``python -I -S .../keeper.py FD FOLDER``.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

GRACE = 0.5  # seconds that processes may outlive the first one
START = 10.0  # seconds for the runner to be ready
CENSUS = 0.05  # seconds between two looks at who is there
SHOWN = 256 * 1024  # bytes of output that the cell and the result get
CALLS = 5_000  # system calls that the result gets
FILES, FILE_SIZE = 20, 64 * 1024  # what of the scratch folder the result gets
_CREDENTIALS = struct.Struct("iii")  # struct ucred: pid, uid, gid


class Untraced(Exception):
    """strace would not start; its words."""


class Keeper:
    """One sandbox from request to report."""

    def __init__(self, control: socket.socket, request: dict[str, Any], names: int) -> None:
        from udock_lab.linux.strace import TraceParser
        from udock_lab.sandbox.census import Census

        self.control = control
        self.request = request
        self.names = names
        self.epoll = select.epoll()
        self.handlers: dict[int, Callable[[], None]] = {}
        self.census = Census()
        self.parser = TraceParser()
        self.scratch = tempfile.mkdtemp(prefix="udock-sandbox-")
        self.child = 0  # strace, or the runner itself
        self.tracer = 0
        self.first_gone = False
        self.userns = False
        self.guard = ""
        self.began: int | None = None  # strace's clock at the first line of the learner's code
        self.started = 0.0
        self.deadline = time.monotonic() + START
        self.ended_by = ""
        self.shown = 0
        self.written = 0
        self.calls: list[dict[str, Any]] = []
        self.calls_dropped = 0
        self.refused_signals = 0
        self.leftovers: set[int] = set()
        self.waits: dict[int, str] = {}  # at the time limit: the call in which a process sat
        self.complaint = b""  # what strace itself wrote
        self.untraced = request["untraced"]

    # --- the story

    def run(self) -> None:
        """Start, watch until the end, clean up, report."""
        self._watch(self.control.fileno(), self._on_kernel)
        try:
            self._start()
            self._watch_until_the_end()
            self._end()
            self._report()
        finally:
            self._sweep()
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _start(self) -> None:
        """The runner, traced where that is wanted; without strace where it will not start."""
        try:
            self._spawn(self.request["strace"])
        except Untraced as why:
            self.untraced = str(why)
            self._spawn("")

    def _spawn(self, strace: str) -> None:
        from udock_lab.linux.strace import command

        self.reports, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.reports.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.streams, ends = {}, []
        for name in ("stdout", "stderr"):
            ours, end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ours.setblocking(False)
            self.streams[name] = ours
            ends.append(end)
        trace, trace_in = os.pipe()
        runner = [self.request["python"], "-I", f"{self.request['folder']}/udock_lab/sandbox/runner.py"]
        argv = [*runner, self.request["folder"]]
        if strace:
            argv = command(strace, 4, self.request["calls"], argv)
        high = [_above(fd) for fd in (ends[0].fileno(), ends[1].fileno(), theirs.fileno(), trace_in)]
        files: list[Any] = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
        files += [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in enumerate(high, 1)]
        self.child = os.posix_spawn(
            argv[0], argv, self.request["env"], file_actions=files, setsigdef=_resettable(), setsigmask=()
        )
        self.tracer = self.child if strace else 0
        for fd in (*high, trace_in, ends[0].detach(), ends[1].detach(), theirs.detach()):
            os.close(fd)
        os.set_blocking(trace, False)
        self._watch(self.reports.fileno(), self._on_report)
        self._watch(trace, partial(self._on_trace, trace))
        for name, ours in self.streams.items():
            self._watch(ours.fileno(), partial(self._on_output, name))
        if strace:
            self._wait_for_hello()

    def _wait_for_hello(self) -> None:
        """strace that may not trace says so and ends before our first line."""
        while not self.census.first:
            self._turn(0.05)
            if not self.census.first and _has_ended(self.child):
                while self._turn(0.0):
                    pass
                os.waitpid(self.child, 0)
                for fd in [fd for fd in self.handlers if fd != self.control.fileno()]:
                    self._unwatch(fd)
                said = self.complaint.decode(errors="replace").strip().split("\n")[0]
                raise Untraced(said or "strace does not start")
            if time.monotonic() > self.deadline:
                return

    def _watch_until_the_end(self) -> None:
        """Until everything is gone; or it is too late, too much, or nobody wants it any more."""
        look = time.monotonic()
        while not self.ended_by:
            self._turn(CENSUS)
            now = time.monotonic()
            if now >= look:
                look = now + CENSUS
                self._count()
            if now > self.deadline and not self.ended_by:
                self.ended_by = "end" if self.first_gone else ("timeout" if self.started else "start")

    def _count(self) -> None:
        """Who is there? The end has come when the first process and all it left are gone."""
        alive = self._alive()
        for pid, above in alive.items():
            self.census.meet(pid, above if self.census.is_known(above) else 0)
        if self.census.first and not self.first_gone and self.census.first not in alive:
            self.first_gone = True
            self.deadline = time.monotonic() + GRACE
        if len(alive) > self.request["processes"]:
            self.ended_by = "processes"
        elif not alive and (self.first_gone or _has_ended(self.child)):
            self.ended_by = "end"

    def _end(self) -> None:
        """Kill what is left, then take the last words."""
        from udock_lab.linux.process import waits_in

        self.leftovers = set(self._alive())
        if self.ended_by == "timeout":
            self.waits = {pid: waits_in(pid) for pid in list(self.leftovers)[:10]}
        self._sweep()
        end = time.monotonic() + 1.0
        while self._turn(0.0) and time.monotonic() < end:
            pass
        self._reap()

    # --- the loop

    def _watch(self, fd: int, handler: Callable[[], None]) -> None:
        self.epoll.register(fd, select.EPOLLIN)
        self.handlers[fd] = handler

    def _unwatch(self, fd: int) -> None:
        if self.handlers.pop(fd, None) is not None:
            self.epoll.unregister(fd)
            os.close(fd) if fd not in (self.control.fileno(),) else None

    def _turn(self, timeout: float) -> bool:
        """Whatever has come; news of forks before output, so that an author is known by then."""
        ready = [fd for fd, _ in self.epoll.poll(timeout)]
        for fd in sorted(ready, key=lambda fd: fd != self.reports.fileno() if self.handlers.get(fd) else 0):
            handler = self.handlers.get(fd)
            if handler is not None:
                handler()
        self._reap()
        return bool(ready)

    def _reap(self) -> None:
        """Orphans come to us, the subreaper; so does our own child."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid != self.tracer:
                self.census.statuses[pid] = status
            if pid == self.census.first:
                self._first_has_gone()

    def _first_has_gone(self) -> None:
        if not self.first_gone:
            self.first_gone = True
            self.deadline = time.monotonic() + GRACE

    # --- what comes

    def _on_kernel(self) -> None:
        """The kernel wants it to stop; or it is gone."""
        try:
            said = self.control.recv(100)
        except OSError:
            said = b""
        self.ended_by = "interrupt" if said else "lost"
        if not said:
            self.handlers.pop(self.control.fileno())
            self.epoll.unregister(self.control.fileno())

    def _on_report(self) -> None:
        from udock_lab.runtime.messages import decode

        data, ancillary, _, _ = self.reports.recvmsg(1 << 21, 128)
        if not data:
            self._unwatch(self.reports.detach())
            return
        pid = _writer(ancillary)
        kind, *words = decode(data)
        if kind == "hello":
            self._welcome(pid)
        elif kind == "unshared":
            self._answer(_maps_written(pid))
        elif kind == "ready":
            self.guard, self.started = words[0], time.monotonic()
            self.deadline = self.started + self.request["timeout"]
        elif kind == "forked":
            self.census.meet(pid, words[0])
        elif kind == "kill":
            self.refused_signals += 1
        elif kind == "end":
            self.census.meet(pid)
            self.census.ends[pid] = words

    def _welcome(self, pid: int) -> None:
        """The runner's first word: now we know its pid, and it gets its orders."""
        from udock_lab.runtime.messages import encode
        from udock_lab.runtime.wire import send
        from udock_lab.sandbox.identity import protected_pids, user_namespaces_work

        self.census.first = pid
        self.census.meet(pid)
        self.userns = user_namespaces_work()
        orders = {name: self.request[name] for name in ("limits", "path", "source", "sources")}
        limits = dict(self.request["limits"])
        if os.geteuid() and not self.userns:  # then it counts every process of this user on the machine
            limits["RLIMIT_NPROC"] += _processes_of(os.geteuid())
        orders |= {"userns": self.userns, "cwd": self.request["cwd"] or self.scratch, "limits": limits}
        orders["protected"] = [one for one in protected_pids() if one != pid]
        os.chmod(self.scratch, 0o700)
        send(self.reports, encode(orders), [self.names])

    def _answer(self, word: object) -> None:
        from udock_lab.runtime.messages import encode
        from udock_lab.runtime.wire import send

        send(self.reports, encode(word))

    def _on_output(self, name: str) -> None:
        """One chunk, with the pid of the process that wrote it."""
        try:
            data, ancillary, _, _ = self.streams[name].recvmsg(1 << 18, 128)
        except BlockingIOError:
            return
        if not data:
            self._unwatch(self.streams[name].detach())
            return
        pid = _writer(ancillary)
        if pid == self.tracer:
            self.complaint += data[:1000]
            return
        self.written += len(data)
        data = data[: SHOWN - self.shown]
        self.shown += len(data)
        if data:
            if not self.census.is_known(pid):
                self._meet_stranger(pid)
            self._send(f"o{name[3]}{pid} {self.census.roles().get(pid, 'process')}\n".encode() + data)

    def _meet_stranger(self, pid: int) -> None:
        """Forked by a program that is no Python: /proc says by whom, if it is still there."""
        from udock_lab.linux.process import parent

        above = parent(pid) or 0
        self.census.meet(pid, above if self.census.is_known(above) else 0)

    def _on_trace(self, fd: int) -> None:
        try:
            data = os.read(fd, 1 << 18)
        except BlockingIOError:
            return
        if not data:
            self._unwatch(fd)
            return
        for event in self.parser.feed(data):
            self._hear(event)

    def _hear(self, event: Any) -> None:
        from udock_lab.linux.strace import ProcessEnded
        from udock_lab.model import SystemCall
        from udock_lab.sandbox.runner import BEGIN, CAME_TO_THE_END

        if isinstance(event, ProcessEnded):
            self.census.statuses[event.pid] = event.status.raw
            if event.pid == self.census.first:
                self._first_has_gone()
        elif not isinstance(event, SystemCall):
            return
        elif self.began is None:
            if event.name == "execve" and BEGIN in event.arguments:
                self.began = event.end
        elif event.name == "execve" and CAME_TO_THE_END in event.arguments:
            self.census.ends.setdefault(event.pid, ["done", "", ""])
        else:
            if not event.errno:
                self.census.hear_call(event.pid, event.name, event.arguments, event.value)
            self._keep(event)

    def _keep(self, call: Any) -> None:
        if len(self.calls) >= CALLS:
            self.calls_dropped += 1
            return
        began = self.began or 0
        self.calls.append(
            {
                "pid": call.pid, "name": call.name, "arguments": call.arguments, "result": call.result,
                "start": call.start - began, "end": call.end - began, "errno": call.errno,
            }
        )  # fmt: skip

    # --- the end

    def _alive(self) -> dict[int, int]:
        """pid -> parent of all that lives below us, zombies and strace left out."""
        from udock_lab.linux.process import children, state

        found: dict[int, int] = {}
        queue = [(child, os.getpid()) for child in children(os.getpid())]
        while queue:
            pid, above = queue.pop()
            if pid != self.tracer and state(pid) not in (None, "Z", "X"):
                found[pid] = above
            queue += [(child, pid) for child in children(pid)]
        return found

    def _sweep(self) -> None:
        """Kill until nothing is left. killpg is one step for the kernel: no fork slips through it (kill(2))."""
        first, deadline = self.census.first, time.monotonic() + 5
        while first and time.monotonic() < deadline:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(first, signal.SIGKILL)
            alive = self._alive()
            for pid in alive:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            if not alive:
                break
            self._turn(0.002)
        self._end_child()

    def _end_child(self) -> None:
        """strace leaves when all it traced is gone; a runner that never said hello is killed."""
        deadline = time.monotonic() + 1.0
        while self.child and not _has_ended(self.child):
            self._turn(0.005)
            if time.monotonic() > deadline or not self.census.first:
                with suppress(ProcessLookupError):
                    os.kill(self.child, signal.SIGKILL)
        self._reap()

    def _report(self) -> None:
        from udock_lab.runtime.messages import encode

        for call in self.parser.unfinished():
            self._keep(call) if self.began is not None else None
        report = {
            "processes": self.census.report(self.leftovers),
            "ends": {str(pid): words for pid, words in self.census.ends.items()},
            "collected": sorted(self.census.collected),
            "calls": self.calls,
            "calls_dropped": self.calls_dropped,
            "ended_by": self.ended_by,
            "first_status": self.census.statuses.get(self.census.first),
            "files": self._files(),
            "identity": "user namespace" if self.userns else "plain",
            "guard": self.guard or "none",
            "untraced": self.untraced,
            "written": self.written,
            "shown": self.shown,
            "signals_to_all": self.refused_signals,
            "waits": {str(pid): where for pid, where in self.waits.items()},
            "seconds": time.monotonic() - self.started if self.started else 0.0,
        }
        self._send(b"j" + encode(report))

    def _files(self) -> dict[str, str]:
        """Small regular files at the top of the scratch folder."""
        found: dict[str, str] = {}
        with suppress(OSError):
            for entry in sorted(os.scandir(self.scratch), key=lambda entry: entry.name):
                if entry.is_file(follow_symlinks=False) and entry.stat().st_size <= FILE_SIZE and len(found) < FILES:
                    with suppress(OSError), open(entry.path, "rb") as file:
                        found[entry.name] = file.read().decode("latin-1")
        return found

    def _send(self, data: bytes) -> None:
        from udock_lab.runtime.wire import send

        try:
            send(self.control, data)
        except OSError:
            self.ended_by = self.ended_by or "lost"


def _writer(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The pid that the kernel attached (SCM_CREDENTIALS)."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int(_CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0])
    return 0


def _maps_written(pid: int) -> bool:
    from udock_lab.sandbox.identity import write_maps

    return write_maps(pid)


def _above(fd: int) -> int:
    """A copy of a descriptor with a number that spawn's dup2 will not overwrite."""
    import fcntl

    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20)


def _resettable() -> set[int]:
    """Every signal back at its default: Python ignores some, and so do those above us."""
    return {int(number) for number in signal.valid_signals()} - {signal.SIGKILL, signal.SIGSTOP}


def _has_ended(pid: int) -> bool:
    """Our own child: gone, or a zombie."""
    from udock_lab.linux.process import state

    return state(pid) in (None, "Z", "X")


def _processes_of(uid: int) -> int:
    """Threads of a user, as RLIMIT_NPROC counts them (getrlimit(2))."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
    return count


def main(control: int, folder: str) -> None:
    """One request, one sandbox."""
    sys.path.insert(0, folder)
    from udock_lab.linux.syscalls import PR_SET_CHILD_SUBREAPER, prctl
    from udock_lab.runtime.messages import decode
    from udock_lab.runtime.wire import receive

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    sock = socket.socket(fileno=control)
    sock.set_inheritable(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
    data, fds = receive(sock)
    if data:
        Keeper(sock, decode(data), fds[0]).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
