"""The parent's side of a container: records, log, wait, reap what is left.

One :class:`Supervisor` is one single-threaded process with one epoll loop. It serves any number of runs at
once, each a :class:`Job` that moves forward when something happens: the lock is free, the program has
started, output has come, the process has ended. The notebook's launcher is a supervisor with a pre-forked child;
the command line forks one without.
"""

from __future__ import annotations

import errno
import fcntl
import heapq
import os
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from errno import errorcode
from typing import TYPE_CHECKING

from udock_lab.errors import Interrupted, MdockError
from udock_lab.linux.dispositions import ENDS_NOBODY
from udock_lab.linux.process import boot_id, last_pid, pid_namespace, start_ticks
from udock_lab.model import Record, Status
from udock_lab.model.plain import plain
from udock_lab.model.processes import Snapshot
from udock_lab.runtime import containers, execs
from udock_lab.runtime.eventlog import write_event
from udock_lab.runtime.extras import Identity, Steps, save_spec, save_steps
from udock_lab.runtime.forker import LocalForker, RemoteForker
from udock_lab.runtime.home import DISK_FULL, Home, storage_error
from udock_lab.runtime.ids import allocate
from udock_lab.runtime.launch import EXEC, NO_ANSWER, Fresh, brief, open_gate, parse_reports
from udock_lab.runtime.protocol import (
    STDERR,
    STDOUT,
    Ended,
    Event,
    ExecRequest,
    Launch,
    ProbeRequest,
    Refused,
    Request,
    RunRequest,
    Signal,
    SpawnRequest,
    Started,
    from_caller,
    output,
    refusal,
    request_of,
    to_caller,
)
from udock_lab.runtime.records import held_too_long, lock_timeout, open_plain, release, try_lock
from udock_lab.wire.framing import adopt, hang_up, receive, send

if TYPE_CHECKING:
    from _socket import socket

__all__ = ["Job", "Supervisor", "log_limit"]

CHUNK = 1 << 16
KEYS = 1 << 12  # bytes of what is typed; the longest line that a terminal takes
GRACE = 5.0  # seconds between SIGTERM and SIGKILL when a foreground run's caller has died
PATIENCE = 600.0  # seconds during which an end that could not be recorded is tried again
ROOM = 1 << 16  # bytes that a log gives back when it has filled the disk: the records need a little
_WANT_IT_ENDED = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL}
RESERVE = 4  # descriptors: a request brings three at most
_now = time.monotonic_ns


def log_limit() -> int:
    """Return the bytes that one container's log may hold: ``$MDOCK_LOG_LIMIT``, or 1 GiB."""
    with suppress(ValueError):
        return int(os.environ.get("MDOCK_LOG_LIMIT", ""))
    return 1 << 30


class Supervisor:
    """Forks containers, watches them to their end and writes down what happened."""

    def __init__(
        self, control: socket | None, *, prefork: bool, forker: LocalForker | RemoteForker | None = None
    ) -> None:
        self.epoll = select.epoll()
        self.forker = forker or LocalForker()
        self.handlers: dict[int, Callable[[int], None]] = {}
        self.timers: list[tuple[float, int, Callable[[], None]]] = []
        self.timer_number = 0
        self.jobs: set[Job] = set()
        self.homes: dict[str, Home] = {}
        self.log_limit = log_limit()
        self.helpers: set[int] = set()
        self.control = control
        self.keeps_preforked = prefork
        self.preforked: Fresh | None = None
        self.reserve: list[int] = []
        self.last_pid_moves = False
        self.boot, self.pid_namespace, self.host = boot_id(), pid_namespace(), os.uname().nodename
        self.start_ticks = start_ticks(os.getpid())
        if control is not None:
            control.setblocking(False)
            self.watch(control.fileno(), select.EPOLLIN, self._on_request)
        if prefork:
            self._prefork()

    # --- the loop

    def watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        self.epoll.register(fd, events)
        self.handlers[fd] = handler

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; before it is closed, since a forked child may still hold a copy."""
        if self.handlers.pop(fd, None) is not None:
            self.epoll.unregister(fd)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        self.timer_number += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.timer_number, action))

    def serve(self) -> None:
        """Serve until the control socket is closed (if there was one) and the last container has ended."""
        while self.control is not None or self.jobs:
            timeout = max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else -1
            for fd, events in self.epoll.poll(timeout):
                handler = self.handlers.get(fd)
                if handler is not None:
                    handler(events)
            while self.timers and self.timers[0][0] <= time.monotonic():
                heapq.heappop(self.timers)[2]()
        self._drop_preforked()

    def _on_request(self, events: int) -> None:
        assert self.control is not None
        self._give_up_reserve()
        try:
            data, fds = receive(self.control)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self.unwatch(self.control.fileno())
            self.control.close()
            self.control = None
            self._drop_preforked()
            return
        message = request_of(data)
        try:
            self._keep_reserve()
            self.accept(message, fds)
        except OSError as error:
            self._turn_away(message, fds, error)

    def accept(self, message: Request, fds: list[int]) -> None:
        """Do what is asked for, or begin it. OSError where no process or no descriptor is left.

        With a run come its own socket and its standard input; with a terminal the latter is a pipe of keys: they are
        taken from it as the terminal has room for them.
        """
        if isinstance(message, ProbeRequest):
            self._probe(fds[0], message.what)
        elif isinstance(message, SpawnRequest):
            self._spawn(message.argv, fds[0])
        else:
            Job(self, message, adopt(fds[0]), fds[1] if len(fds) > 1 else -1)

    def _keep_reserve(self) -> None:
        """Hold descriptors back: a request that came while none is left could not even be refused."""
        while len(self.reserve) < RESERVE:
            self.reserve.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))

    def _give_up_reserve(self) -> None:
        while self.reserve:
            os.close(self.reserve.pop())

    def _turn_away(self, message: object, fds: list[int], error: OSError) -> None:
        """Turn a request away: no process or no descriptor is left.

        Other requests than a run see the end of what they brought.
        """
        words = storage_error(error, "")
        for number, fd in enumerate(fds):
            with suppress(OSError):
                if isinstance(message, Launch) and number == 0:
                    os.write(fd, to_caller(Refused(error="MdockError", message=words.message, hint=words.hint)))
                os.close(fd)
        with suppress(OSError):
            self._keep_reserve()

    def _probe(self, answer: int, what: str) -> None:
        """Try what this machine permits, in a child: probes change the process that makes them."""
        pid = os.fork()
        if pid == 0:
            try:
                from udock_lab.runtime.doctor import answer_probe

                answer_probe(answer, what)
            finally:
                os._exit(0)
        os.close(answer)
        self._reap_helper(pid)

    def _spawn(self, argv: tuple[str, ...], sock: int) -> None:
        """Start a helper program in a session of its own; its end of a socket becomes descriptor 3."""
        at = fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, 10)  # dup2 of 3 to itself would leave it close-on-exec
        os.close(sock)
        files = [(os.POSIX_SPAWN_DUP2, at, 3)]
        self._reap_helper(os.posix_spawn(argv[0], argv, os.environ, file_actions=files, setsid=True))
        os.close(at)

    def _reap_helper(self, pid: int) -> None:
        self.helpers.add(pid)
        pidfd = os.pidfd_open(pid)

        def reap(_: int) -> None:
            self.unwatch(pidfd)
            os.close(pidfd)
            os.waitpid(pid, 0)
            self.helpers.discard(pid)
            self._kill_orphans()

        self.watch(pidfd, select.EPOLLIN, reap)

    def _kill_orphans(self) -> None:
        """Kill what a dead helper had started, until no more comes: we are the next subreaper above it."""
        if not LocalForker().kill_leftovers(self.helpers | self.forker.own()):
            self.later(0.01, self._kill_orphans)

    # --- the pre-forked child

    def take_child(self, *, fresh: bool) -> Fresh:
        """Return the pre-forked child, or one forked now."""
        child, self.preforked = (None, self.preforked) if fresh else (self.preforked, None)
        if child is not None and _has_ended(child.pidfd):  # somebody killed it while it waited
            self._discard(child)
            child = None
        return child or self.forker.fork(rehearse=False)

    def give_back(self, child: Fresh) -> None:
        """Take back a child whose start gate was never opened."""
        if self.keeps_preforked and self.preforked is None and self.control is not None and not child.briefed:
            self.preforked = child
        else:
            self._discard(child)

    def prepare(self) -> None:
        """Pay for the next fork now, when nobody waits."""
        if self.keeps_preforked and self.preforked is None and self.control is not None:
            self._prefork()

    def _prefork(self) -> None:
        before = last_pid()
        try:
            self.preforked = self.forker.fork(rehearse=True)
        except OSError:  # no process is left now: the run that needs one says so
            return
        if not self.last_pid_moves:
            self.last_pid_moves = before < self.preforked.pid <= last_pid()

    def _drop_preforked(self) -> None:
        if self.preforked is not None:
            self._discard(self.preforked)
            self.preforked = None

    def _discard(self, child: Fresh) -> None:
        """End a child that waits at its start gate: end-of-file there tells it to go."""
        child.close()
        self.forker.reap(child.pid)

    def last_pid_now(self) -> int | None:
        """Return the newest process id of the machine, or None where /proc/loadavg does not tell (lxcfs)."""
        return last_pid() if self.last_pid_moves else None

    # --- what containers leave behind

    def kill_leftovers(self) -> bool:
        """Kill what an ended container left running; True when nothing is left."""
        return self.forker.kill_leftovers(self.helpers)

    def home(self, path: str) -> Home:
        if path not in self.homes:
            self.homes[path] = Home(path)
        return self.homes[path]


class Job:
    """One container from request to record."""

    def __init__(self, supervisor: Supervisor, request: RunRequest | ExecRequest, sock: socket, stdin: int) -> None:
        self.supervisor = supervisor
        self.request = request
        self.sock: socket | None = sock
        self.stdin = stdin
        self.home = supervisor.home(request.home)
        self.inside = request.container_id if isinstance(request, ExecRequest) else ""
        self.id = ""
        self.child: Fresh | None = None
        self.reaped = False
        self.record: Record | None = None
        self.after: Record | None = None
        self.status = 0
        self.reports: list[tuple[int, int, int, int]] = []
        self.opened = False  # the start gate: from then on there is a container
        self.started = False
        self.parent_steps: list[tuple[str, int, int, int]] = []  # the parent's own steps: name, errno, start, end
        self.notes: list[str] = []
        self.queue: list[bytes] = []  # messages that the caller has not taken yet
        self.outputs: dict[int, bytes] = {}
        self.paused = False
        self.logged = 0
        self.log_fd = self.held = -1
        self.log_limit = supervisor.log_limit
        self.terminal = -1
        self.held_stdin = -1
        self.keys = -1
        self.typed = b""  # and not taken by the terminal yet
        self.ended = False
        self.deadline = time.monotonic() + lock_timeout()
        self.pause = 0.0005
        self.give_up_at = 0.0
        self.newest_pid: int | None = None
        self.snapshots: list[Snapshot] = []
        supervisor.jobs.add(self)  # before anything can end it
        sock.setblocking(False)
        supervisor.watch(sock.fileno(), select.EPOLLIN, self._on_caller)
        self._try_begin()

    # --- phase 1

    def _try_begin(self) -> None:
        """Begin under the lock: id and record; then the start gate.

        Tried again soon while another process has the lock.
        """
        if self.sock is None:
            self._forget()
            return
        try:
            self.home.create() if not os.path.isdir(self.home.run_dir) else None
            if self.child is None:
                self._prepare_child()
            lock = -1 if self.inside else try_lock(self.home)
            if lock is None:
                self._wait_for_lock(self._try_begin, self._refuse_lock)
                return
            try:
                self._begin()
            finally:
                if lock >= 0:
                    release(lock)
        except OSError as error:
            self._refuse(storage_error(error, self.home.path))
        except MdockError as error:
            self._refuse(error)
        else:
            self._open_gate()

    def _prepare_child(self) -> None:
        self.child = self.supervisor.take_child(fresh=self.request.fresh)
        if self.request.spec.tty:
            self._make_terminal()
        elif self.stdin < 0:
            if self.request.spec.interactive:
                self.stdin, self.held_stdin = os.pipe()
            else:
                self.stdin = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    def _make_terminal(self) -> None:
        self.keys = self.stdin
        self.terminal, self.stdin = os.openpty()
        os.set_blocking(self.terminal, False)
        if self.request.size:
            self._resize(*self.request.size)

    def _resize(self, rows: int, columns: int) -> None:
        packed = struct.pack("HHHH", rows, columns, 0, 0)
        with suppress(OSError):
            fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, packed)

    def _begin(self) -> None:
        """Begin phase 1.

        The pid is known because fork came first; the program has not run because the start gate is shut.
        """
        assert self.child is not None
        with suppress(OSError):  # tried again at the gate, where a failure is dealt with
            brief(self.child, self.request.plan)
        if self.inside:
            self.id = self.inside
            self._remember_exec(self.child)
            return
        start = _now()
        self.id = allocate(self.home)
        self.record = Record(
            id=self.id,
            pid=self.child.pid,
            image=self.request.spec.image,
            status=Status.RUNNING,
            start_time=containers.now(),
        )
        containers.begin(self.home, self.record)
        self.parent_steps.append(("record_running", 0, start, _now()))

    def _remember_exec(self, child: Fresh) -> None:
        """Note the process, so that it ends with its container, even if we are killed."""
        try:
            execs.remember(self.home, self.id, child.pid, child.pidfd)
        except OSError as error:
            self.notes.append(f"should its supervisor be killed, {self.id} cannot end this: {error.strerror}")

    def _wait_for_lock(self, again: Callable[[], None], give_up: Callable[[], None]) -> None:
        if time.monotonic() > self.deadline:
            give_up()
            return
        self.supervisor.later(self.pause * (0.5 + (_now() & 1023) / 1024), again)
        self.pause = min(self.pause * 1.5, 0.02)

    def _refuse_lock(self) -> None:
        self._refuse(held_too_long(self.home))

    def _refuse(self, error: MdockError | Interrupted) -> None:
        """Say why nothing was started, and forget it."""
        self._tell(refusal(error))
        self._forget()

    def _forget(self) -> None:
        if self.child is not None:
            self._forget_exec(self.child)
            self.supervisor.give_back(self.child)
            self.child = None
        self._close_stdin()
        self._close_keys()
        if self.terminal >= 0:
            os.close(self.terminal)
            self.terminal = -1
        self._close()

    # --- the start gate and after

    def _open_gate(self) -> None:
        """Open the start gate. From here the child runs beside us; what follows costs the learner nothing."""
        assert self.child is not None
        child, request = self.child, self.request
        self.opened = True
        self.newest_pid = self.supervisor.last_pid_now()
        start = _now()
        try:
            if not child.briefed:
                brief(child, request.plan)
            open_gate(child, self.stdin, self.stdin if self.terminal >= 0 else None)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET):  # it has gone, and has told why
                self.notes.append(f"the gate could not be opened: {error.strerror}")
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
        self.parent_steps.append(("open_gate", 0, start, _now()))
        self._watch_child(child)
        self._keep_extras(child)

    def _watch_child(self, child: Fresh) -> None:
        watch = self.supervisor.watch
        watch(child.pidfd, select.EPOLLIN, self._on_exit)
        watch(child.reports, 0, self._on_started)  # EPOLLHUP only: the close-on-exec end is gone
        if self.terminal >= 0:  # its slave stays open here: a program may close all of its own and run on
            self.outputs = {self.terminal: STDOUT}
        else:
            self._close_stdin()
            self.outputs = {child.stdout: STDOUT, child.stderr: STDERR}
        for fd in self.outputs:
            watch(fd, select.EPOLLIN, self._output_handler(fd))
        if self.keys >= 0:
            watch(self.keys, select.EPOLLIN, self._on_keys)
        if isinstance(request := self.request, ExecRequest):
            self._die_with(request.container_pid)
        if request.snapshots:
            watch(child.sync.fileno(), select.EPOLLIN, self._on_held)

    def _on_held(self, _: int) -> None:
        """Look at a child that waits and says what moment this is; then let it go on."""
        from udock_lab.linux.snapshot import read_snapshot

        assert self.child is not None
        sync = self.child.sync
        try:
            moment, _fds = receive(sync)
        except OSError:
            moment = b""
        if not moment:  # it became the program, or ended
            self.supervisor.unwatch(sync.fileno())
            return
        self.snapshots.append(Snapshot(moment=moment.decode(), **read_snapshot(self.child.pid)))
        with suppress(OSError):
            send(sync, b"seen")

    def _keep_extras(self, child: Fresh) -> None:
        """Write identity and spec under containers/<id>/ and RUN in the event log; open the container's log."""
        if not isinstance(request := self.request, RunRequest):
            return
        identity = Identity(
            pid=child.pid,
            start_ticks=start_ticks(child.pid),
            boot_id=self.supervisor.boot,
            started_boottime=time.clock_gettime(time.CLOCK_BOOTTIME),
            supervisor=os.getpid(),
            supervisor_ticks=self.supervisor.start_ticks,
            pid_namespace=self.supervisor.pid_namespace,
            host=self.supervisor.host,
        )
        asked = plain(request.spec) | {"rootfs": request.rootfs, "private": request.private}
        try:
            save_spec(self.home, self.id, asked, identity)
        except OSError as error:
            self.notes.append(f"how {self.id} was started is not kept, so exec will refuse it: {error.strerror}")
        self._hold()
        try:
            self.log_fd = self._open_log()
        except OSError as error:
            self.notes.append(f"{self.id} has no log: {storage_error(error, self.home.path)}")
        command = " ".join(request.spec.argv)
        self._event("RUN", id=self.id, pid=child.pid, image=request.spec.image, command=command)

    def _open_log(self) -> int:
        path, flags = self.home.container_log(self.id), os.O_WRONLY | os.O_CREAT | os.O_APPEND
        try:
            return open_plain(path, flags)
        except FileNotFoundError:  # somebody removed the folder
            self.home.create()
            return open_plain(path, flags)

    def _hold(self) -> None:
        """Lock the container's spec: others see by this lock that it has a supervisor, wherever they are."""
        if self.reaped or self.held >= 0:
            return
        try:
            self.held = containers.hold(self.home, self.id)
        except BlockingIOError:  # somebody looks just now
            self.supervisor.later(0.01, self._hold)

    def _let_go(self) -> None:
        """Close the socket, last of all: the end is recorded, or given up.

        A child forked meanwhile keeps no lock either.
        """
        if self.held >= 0:
            release(self.held)
            self.held = -1

    def _event(self, event: str, **fields: object) -> None:
        """Write to the event log. Where it cannot be written, what happened has happened all the same."""
        try:
            write_event(self.home, event, **fields)
        except OSError as error:
            self.notes.append(f"log.txt lacks a line ({event} of {self.id}): {error.strerror}")

    def _on_started(self, events: int) -> None:
        """Read the reports to their end: exec worked, or the child has ended."""
        assert self.child is not None
        if self.started:
            return
        self.started = True
        fd = self.child.reports
        self.supervisor.unwatch(fd)
        data = b""
        while part := _read(fd):
            data += part
        self.reports = parse_reports(data)
        os.close(fd)
        steps = Steps(
            reports=tuple(self.reports),
            parent_steps=tuple(self.parent_steps),
            steps=self.request.described,
            names=self.request.names,
        )
        if not self.inside:
            with suppress(OSError):
                save_steps(self.home, self.id, steps)
            self._log_exec_failure()
        waited_for = self.request.spec.detach or self.request.spec.tty or self.request.announce
        if waited_for or any(answer > 0 for _, answer, _, _ in self.reports):
            self._tell(self._started())  # somebody waits for it, or should be warned before the output comes

    def failed_exec(self) -> int:
        """Return the errno of an execve that failed for good, or 0."""
        answers = [answer for number, answer, _, _ in self.reports if number == EXEC]
        if not answers or answers[-1] == NO_ANSWER:
            return 0
        return errno.EACCES if errno.EACCES in answers else answers[-1]

    def _log_exec_failure(self) -> None:
        failed = self.failed_exec()
        if failed:
            program = self.request.spec.argv[0]
            code = 127 if failed == errno.ENOENT else 126
            self._event("EXEC_FAIL", id=self.id, program=program, errno=errorcode.get(failed, failed), code=code)

    # --- output

    def _output_handler(self, fd: int) -> Callable[[int], None]:
        return lambda _: self._pump(fd)

    def _pump(self, fd: int) -> None:
        """Move one chunk to the log and to the caller."""
        data = _read(fd)
        if data is None:
            return
        if not data:
            self.supervisor.unwatch(fd)
            if fd != self.terminal:  # a terminal that was hung up stays until its program has ended
                self.outputs.pop(fd, None)
                self._close_output(fd)
            return
        if not self.started:
            self._look_for_start()
        self._log(data)
        if self.sock is not None and not self.request.spec.detach:
            self._queue(output(self.outputs.get(fd, STDOUT), data))

    def _look_for_start(self) -> None:
        """Look whether exec has succeeded, before its output is passed on: its news come first."""
        assert self.child is not None
        poll = select.poll()
        poll.register(self.child.reports, 0)
        if poll.poll(0):
            self._on_started(0)

    def _close_output(self, fd: int) -> None:
        if fd == self.terminal:
            self.terminal = -1
        os.close(fd)
        if self.child is not None and fd == self.child.stdout:
            self.child.stdout = -1
        if self.child is not None and fd == self.child.stderr:
            self.child.stderr = -1

    def _close_stdin(self) -> None:
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def _log(self, data: bytes) -> None:
        if self.log_fd < 0:
            return
        room = self.log_limit - self.logged
        try:
            view = memoryview(data)[: max(0, room)]
            while view:
                done = os.write(self.log_fd, view)
                self.logged += done
                view = view[done:]
            if len(data) > room:
                os.write(self.log_fd, b"\n[mdock] the log is full at %d bytes; the program runs on\n" % self.log_limit)
        except OSError as error:
            self.notes.append(f"the log of {self.id} is incomplete: {error.strerror}")
            if error.errno in DISK_FULL:
                self._give_room_back()
            room = -1
        if len(data) > room:
            os.close(self.log_fd)
            self.log_fd = -1

    def _give_room_back(self) -> None:
        """Cut the log short, with a notice, so that the container's end can still be recorded."""
        with suppress(OSError):
            size = os.fstat(self.log_fd).st_size
            os.ftruncate(self.log_fd, max(0, size - ROOM - os.stat(self.home.containers_db).st_size))
            os.write(self.log_fd, b"\n[mdock] the disk is full, so the log ends here; the program runs on\n")

    def _queue(self, message: bytes) -> None:
        """Send now, or stop reading the container's output until the caller has caught up."""
        if self.queue or not self._send(message):
            self.queue.append(message)
            self._pause(True)

    def _send(self, message: bytes) -> bool:
        assert self.sock is not None
        try:
            send(self.sock, message)
        except BlockingIOError:
            return False
        except OSError:
            self._caller_gone()
        return True

    def _pause(self, paused: bool) -> None:
        if self.paused == paused or self.sock is None:
            return
        self.paused = paused
        for fd in self.outputs:
            if paused:
                self.supervisor.unwatch(fd)
            else:
                self.supervisor.watch(fd, select.EPOLLIN, self._output_handler(fd))
        wanted = select.EPOLLIN | (select.EPOLLOUT if paused else 0)
        self.supervisor.epoll.modify(self.sock.fileno(), wanted)

    def _tell(self, message: Event) -> None:
        if self.sock is not None:
            self._queue(to_caller(message))

    # --- the caller

    def _on_caller(self, events: int) -> None:
        """Take a signal or a window size from the caller; or find room for more output; or its death."""
        if events & select.EPOLLOUT:
            self._flush()
        if self.sock is None or not events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            return
        try:
            data, fds = receive(self.sock)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        for fd in fds:
            os.close(fd)
        if not data:
            self._caller_gone()
        else:
            message = from_caller(data)
            if isinstance(message, Signal):
                self.signal(message.number)
            elif self.terminal >= 0:
                self._resize(message.rows, message.columns)

    def _flush(self) -> None:
        while self.queue and self.sock is not None:
            if not self._send(self.queue[0]):
                return
            if self.queue:
                self.queue.pop(0)
        if self.sock is not None:
            self._pause(False)
        if self.ended:
            self._close()

    def _on_keys(self, _: int) -> None:
        """Take keys for the container's terminal."""
        self.typed = os.read(self.keys, KEYS)
        if self.typed:
            self._type()
        else:
            self._close_keys()

    def _type(self, pause: float = 0.01) -> None:
        """Write keys to the terminal.

        While the line discipline has no room for what was typed, no more of it is taken from the pipe.
        """
        if self.keys < 0:
            return
        try:
            self.typed = self.typed[os.write(self.terminal, self.typed) :]
        except BlockingIOError:
            pass
        except OSError:  # the terminal was hung up
            self.typed = b""
        if self.typed:
            self.supervisor.unwatch(self.keys)
            self.supervisor.later(pause, lambda: self._type(min(2 * pause, 0.1)))
        elif self.keys not in self.supervisor.handlers:
            self.supervisor.watch(self.keys, select.EPOLLIN, self._on_keys)

    def _close_keys(self) -> None:
        if self.keys >= 0:
            self.supervisor.unwatch(self.keys)
            os.close(self.keys)
            self.keys = -1

    def signal(self, number: int) -> None:
        """Signal the container's process group; its leader is ours and not reaped, so the number is safe.

        Before the gate is open there is no container: the run is called off, and its child serves the next one.
        After its end nobody waits for the lock any longer: the end is recorded as soon as the lock is free.
        """
        if self.reaped:
            self.deadline = 0.0
            return
        if not self.opened:
            if self.sock is not None and number not in ENDS_NOBODY:
                self._refuse(_called_off(number))
            return
        if self.child is not None:
            # A stopped process takes no other signal until it is continued; one that is to end, is.
            for sent in (number, signal.SIGCONT) if number in _WANT_IT_ENDED else (number,):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.child.pid, sent)
            if number == signal.SIGKILL:
                with suppress(ProcessLookupError, PermissionError):
                    signal.pidfd_send_signal(self.child.pidfd, number)

    def _caller_gone(self) -> None:
        """End what does not outlive its caller (only a detached container does): TERM, and KILL after a while."""
        if self.sock is None:
            return
        self.queue.clear()
        self._pause(False)
        self.supervisor.unwatch(self.sock.fileno())
        self.sock.close()
        self.sock = None
        if self.ended:
            self._close()
        elif not self.request.spec.detach and self.child is not None:
            if self.terminal >= 0:
                self.signal(signal.SIGHUP)  # an interactive shell ignores SIGTERM
            self.signal(signal.SIGTERM)
            self.supervisor.later(GRACE, lambda: self.signal(signal.SIGKILL))

    def _die_with(self, pid: int) -> None:
        """End a process that ``exec`` started together with its container."""
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            self.signal(signal.SIGKILL)
            return

        def container_ended(_: int) -> None:
            self.supervisor.unwatch(pidfd)
            os.close(pidfd)
            self.signal(signal.SIGKILL)

        self.supervisor.watch(pidfd, select.EPOLLIN, container_ended)

    # --- the end

    def _on_exit(self, events: int) -> None:
        """Begin the end: the container's first process has ended.

        The forker reaps it while we look for what it left running.
        """
        assert self.child is not None
        self.reaped = True  # from now on its number may be another's
        self.supervisor.unwatch(self.child.pidfd)
        self._on_started(0)
        self._sweep()

    def _sweep(self) -> None:
        """Kill what the container left running. Nothing can be left if no process was made since the gate opened."""
        newest = self.supervisor.last_pid_now()
        if newest is not None and newest == self.newest_pid:
            self._drain()
            return
        if self.supervisor.kill_leftovers():
            self._drain()
        else:
            self.newest_pid = None
            self.supervisor.later(0.001, self._sweep)

    def _drain(self) -> None:
        """Empty the pipes: every writer is dead, and what is in them is all there will be."""
        for fd in list(self.outputs):
            self.supervisor.unwatch(fd)
            while True:
                data = _read(fd)
                if not data:
                    break
                self._log(data)
                if self.sock is not None and not self.request.spec.detach:
                    self._queue(output(self.outputs[fd], data))
        for fd in list(self.outputs):
            self._close_output(fd)
        self.outputs.clear()
        self._close_stdin()
        self._close_keys()
        if not self.inside:
            self._end_execs()
        self._reap()
        self.deadline, self.pause = time.monotonic() + lock_timeout(), 0.0005
        self._try_finish()

    def _reap(self) -> None:
        """Take the wait status of the container's first process, of it and it alone (waitpid(2))."""
        assert self.child is not None
        start = _now()
        self.status = self.supervisor.forker.reap(self.child.pid)
        os.close(self.child.pidfd)
        self.parent_steps.append(("waitpid", 0, start, _now()))

    def _end_execs(self) -> None:
        """End what exec started in this container.

        Each such process has a supervisor, which may have been killed.
        """
        left = execs.end_all(self.home, self.id)
        if left:
            self.notes.append(execs.may_run_on(self.id, left))

    def _forget_exec(self, child: Fresh) -> None:
        if self.inside and self.id:
            execs.forget(self.home, self.id, child.pid)

    def _try_finish(self) -> None:
        """Finish under the lock: phase 2."""
        if self.inside:
            assert self.child is not None
            self._forget_exec(self.child)
            self._end()
            return
        old = -1
        try:
            if not os.path.isdir(self.home.run_dir) and os.path.isfile(self.home.containers_db):
                self.home.create()  # somebody removed the folder, not the home
            lock = try_lock(self.home)
            if lock is None:
                self._wait_for_lock(self._try_finish, self._finish_much_later)
                return
            try:
                old = self._finish()
            finally:
                release(lock)
        except OSError as error:
            self._finish_much_later(storage_error(error, self.home.path))
            return
        self._let_go()
        self._end()
        if old >= 0:
            os.close(old)
        self.supervisor.prepare()

    def _finish(self) -> int:
        start = _now()
        code = _shell_code(self.status)
        killed = os.WIFSIGNALED(self.status) and os.WTERMSIG(self.status) == signal.SIGKILL
        self.after, old = containers.finish(self.home, self.id, code, containers.now(), killed=killed)
        self.parent_steps.append(("record_ended", 0, start, _now()))
        if self.request.spec.remove:
            self._discard()
        status = self.after.status.value if self.after else "removed"
        self._event("EXIT", id=self.id, pid=self.child.pid if self.child else 0, code=code, status=status)
        return old

    def _discard(self) -> None:
        """Remove the container's files; what resists keeps its record, and the attached caller is told."""
        why = ""
        try:
            for refusal in containers.discard(self.home, [self.id]).values():
                why = refusal.message
        except OSError as error:
            why = f"{error.strerror}."
        if why:
            self.notes.append(
                f"{self.id} is not removed: {why}\nWhen the reason is gone, remove it with: mdock rm {self.id}"
            )

    def _finish_much_later(self, why: MdockError | None = None) -> None:
        """Tell the caller that the end could not be recorded now, and keep trying while this process lives."""
        if not self.ended:
            why = why or held_too_long(self.home)
            hint = f"{why.hint}\nFor {PATIENCE / 60:.0f} minutes mdock goes on trying by itself."
            self.notes.append(f"the end of {self.id} is not recorded yet: {why.message}\n{hint}")
            self._end()
            self.give_up_at = time.monotonic() + PATIENCE
        if time.monotonic() > self.give_up_at or not os.path.isdir(self.home.run_dir):
            self._let_go()
            self.supervisor.jobs.discard(self)
            return
        self.deadline = time.monotonic() + lock_timeout()
        self.supervisor.jobs.add(self)
        self.supervisor.later(0.5, self._try_finish)

    def _end(self) -> None:
        """Tell the attached caller the end."""
        if self.ended:
            self.supervisor.jobs.discard(self)
            return
        self.ended = True
        self._tell(self._how_it_ended())
        os.sched_yield()  # whoever is attached has been woken on this processor: it goes first
        if not self.queue:
            self._close()

    def _started(self) -> Started:
        return Started(
            id=self.id,
            pid=self.child.pid if self.child else 0,
            reports=tuple(self.reports),
            notes=tuple(self.notes),
            snapshots=tuple(self.snapshots),
        )

    def _how_it_ended(self) -> Ended:
        child = self.child
        return Ended(
            id=self.id,
            pid=child.pid if child else 0,
            reports=tuple(self.reports),
            notes=tuple(self.notes),
            snapshots=tuple(self.snapshots),
            status=self.status,
            parent_steps=tuple(self.parent_steps),
            fork=(child.fork_start, child.fork_end) if child else None,
            before=self.record,
            after=self.after,
        )

    def _close(self) -> None:
        self.supervisor.jobs.discard(self)
        if self.sock is not None:
            self.supervisor.unwatch(self.sock.fileno())
            hang_up(self.sock)
            self.sock = None
        for fd in list(self.outputs):
            self.supervisor.unwatch(fd)
            os.close(fd)
        self.outputs.clear()
        if self.child is not None and self.ended:
            self._close_child(self.child)
        for name in ("log_fd", "held_stdin"):
            if getattr(self, name) >= 0:
                os.close(getattr(self, name))
                setattr(self, name, -1)

    def _close_child(self, child: Fresh) -> None:
        self.supervisor.unwatch(child.sync.fileno())
        child.sync.close()
        if self.request.spec.tty:
            for fd in (child.stdout, child.stderr):
                if fd >= 0:
                    os.close(fd)
        self.child = None


def _called_off(number: int) -> Interrupted:
    return Interrupted("The run was interrupted while it waited for the lock: nothing was started.", signal=number)


def _shell_code(status: int) -> int:
    """Return the exit code as a shell says it: 128 + n for signal n."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _has_ended(pidfd: int) -> bool:
    """Return whether the process has ended: its pidfd is readable then (pidfd_open(2))."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(0))


def _read(fd: int) -> bytes | None:
    """Return what is there: None when nothing is yet, empty at the end (a terminal says EIO then)."""
    try:
        return os.read(fd, CHUNK)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno == errno.EIO:
            return b""
        raise
