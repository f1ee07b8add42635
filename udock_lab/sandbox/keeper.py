"""The keeper of one sandbox: starts the runner, watches all that comes of it, ends it, leaves nothing.

The launcher starts it for one run; it ends with that run, or when the notebook's kernel is gone. It is the
subreaper of everything in the sandbox, so no orphan escapes it (prctl(2)).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress

from udock_lab.isolation.ask import ASKS, answer
from udock_lab.isolation.enter import enter
from udock_lab.isolation.wanted import Wanted
from udock_lab.linux.dispositions import forget_inherited_signals
from udock_lab.linux.process import children, parent, waits_in
from udock_lab.linux.strace import ProcessEnded, SignalCame
from udock_lab.model.plain import plain, revive_tagged
from udock_lab.runtime.messages import decode, encode
from udock_lab.sandbox import sweep
from udock_lab.sandbox.calls import CallLog
from udock_lab.sandbox.census import Census
from udock_lab.sandbox.channel import message
from udock_lab.sandbox.marks import CAME_TO_THE_END
from udock_lab.sandbox.policy import (
    SandboxPolicy,
    missing_walls,
    protected_pids,
    refused_walls,
    unprivileged_uid,
    user_namespaces_work,
    walls_refused,
)
from udock_lab.sandbox.scratch import remove, remove_all_of, small_files
from udock_lab.sandbox.spawn import Started, start
from udock_lab.wire.framing import hang_up, receive, send
from udock_lab.wire.hearing import hear, hear_bytes
from udock_lab.wire.loop import Loop
from udock_lab.wire.outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import Any

    from udock_lab.linux.strace import TraceEvent

__all__ = ["Keeper", "main"]

GRACE = 0.5  # seconds that processes may outlive the first one
TELL = 5.0  # seconds more for the first process inside to say what it saw, which strace slows down on a busy machine
START = 30.0  # seconds for the runner to be ready; the names it unpacks may import large libraries
LOOK = 0.05  # seconds between two looks at who is there
SHOWN = 256 * 1024  # bytes of output that the cell and the result get
AUDITS = 5_000  # audit events that the result gets
WORDS, PATH, VALUE = 600, 4096, 1 << 20  # characters: of what a process says of itself, whoever wrote that
CHUNK = 1 << 18  # bytes read in one go


class Untraced(Exception):
    """strace would not start; its words."""


class Keeper:
    """One sandbox from request to report."""

    def __init__(self, control: socket.socket, request: dict[str, Any], names: int) -> None:
        self.control = control
        self.request = request
        self.names = names
        self.loop = Loop()
        self.outbox = Outbox(control, _frame)
        self.census = Census()
        self.log = CallLog()
        self.scratch = request["scratch"]
        self.userns = False
        self.shut = False
        self.refusal = ""  # why there are no walls where they were wanted
        self.uid = 0  # who the code runs as instead, where we are root; 0: as whom it was started
        self.walls: list[str] = []  # those that were wanted and are missing
        self.helpers: set[int] = set()  # processes of our own beside strace: outside and first inside
        self.inside: dict[str, str] | None = None  # files of the scratch folder, as the first process inside tells
        self.guard = ""
        self.shared_before = sweep.shared_memory()
        self.broken = ""  # why the runner could not prepare
        self.unreadable = ""  # why Python could not read the code
        self.complaint = b""  # what strace wrote, or Python before it came to us
        self.untraced = request["untraced"]
        self.started = 0.0
        self.deadline = time.monotonic() + START
        self.first_gone = False
        self.news = False  # somebody has ended since the last look
        self.ended_by = ""
        self.seconds = 0.0
        self.shown = self.written = 0
        self.refused_signals = 0
        self.audits: list[str] = []
        self.leftovers: set[int] = set()
        self.stopped: dict[int, str] = {}  # whom strace saw stop, and did not hear of since
        self.waits: dict[int, str] = {}  # at the time limit: the call in which a process sat

    # --- the story

    def run(self) -> None:
        """Start, watch until the end, clean up, report."""
        self.loop.watch(self.control, lambda _: self._on_kernel())
        try:
            self._start()
            try:
                self._watch_until_the_end()
                self._end()
                report = self._report()
            finally:
                self._sweep()
        finally:
            remove(self.scratch)
            if self.uid:
                remove_all_of(self.uid)
        self.outbox.tell(b"j" + encode(report))
        self.outbox.deliver()

    def _start(self) -> None:
        """The runner, traced where that is wanted; without strace where it will not start."""
        try:
            self._spawn(self.request["strace"])
            self._try_identity()  # while the runner is on its way
            self._wait_for_hello()
        except Untraced as why:
            self.untraced = f"strace may not trace here: {why}. See: %mdock doctor"
            self._spawn("")
            self._try_identity()

    def _try_identity(self) -> None:
        """Walls where they are wanted and work, else somebody else, else a user namespace where that works."""
        if self.request["shut"]:
            self.refusal = walls_refused(self.request["folder"])
            self.shut = not self.refusal
            self.uid = unprivileged_uid() if self.refusal else 0
        self.userns = self.shut or (not self.uid and user_namespaces_work())
        if self.uid:
            os.chown(self.scratch, self.uid, self.uid)

    def _spawn(self, strace: str) -> None:
        try:
            self.runner = start(self.request, strace)
        except OSError as error:
            if not strace:
                raise
            raise Untraced(f"{strace} does not start: {error.strerror}") from None
        runner = self.runner  # strace's news is served first, then the runner's: so output has an author when it comes
        self.loop.watch(runner.trace, lambda _: self._on_trace(runner))
        self.loop.watch(runner.reports, lambda _: self._on_report(runner))
        self.loop.watch(runner.stdout, lambda _: self._on_output("o", runner.stdout))
        self.loop.watch(runner.stderr, lambda _: self._on_output("e", runner.stderr))
        self.loop.watch(runner.pidfd, lambda _: self._close(runner.pidfd))

    def _wait_for_hello(self) -> None:
        """strace that may not trace says so and ends before our first line."""
        while self.runner.tracer and not self.census.first and time.monotonic() < self.deadline:
            ended = sweep.has_ended(self.runner.child)
            self._turn(0.0 if ended else LOOK)
            if ended and not self.census.first:
                for end in self.runner.ends:
                    self._close(end)
                raise Untraced(self._first_complaint() or "it ends at once")

    def _first_complaint(self) -> str:
        """The first line of what strace or Python itself said, without the name of the program before it."""
        said, self.complaint = self.complaint.decode(errors="replace").strip().split("\n")[0], b""
        return said.removeprefix(f"{self.request['strace']}: ")

    def _watch_until_the_end(self) -> None:
        """Until everything is gone; or it is too late, too much, or nobody wants it any more."""
        next_look = 0.0
        while not self.ended_by:
            self._turn(LOOK)
            now = time.monotonic()
            if self.news or now >= next_look:
                self.news, next_look = False, now + LOOK
                self._look()
            if now > self.deadline + (TELL if self._inside_will_tell() else 0.0) and not self.ended_by:
                self.ended_by = "end" if self.first_gone else ("timeout" if self.started else "start")

    def _look(self) -> None:
        """Who is there? The end has come when the first process and all it left are gone."""
        alive = self._living()
        for pid, above in alive.items():
            self.census.meet(pid, above)
        if self.started and self.census.first not in alive:  # before that, we still learn who the first one is
            self._first_has_gone()
        if len(alive) > self.request["processes"]:
            self.ended_by = "processes"
        elif self.request["together"] and self._memory_of(alive) > self.request["together"]:
            self.ended_by = "memory"
        elif not alive and (self.first_gone or sweep.has_ended(self.runner.child)) and self._inside_has_told():
            self.ended_by = "end"

    def _memory_of(self, alive: dict[int, int]) -> int:
        """Shared memory is looked for where the machine has as much more of it as would be too much."""
        own, grown = sweep.memory_of(alive), sweep.shared_memory() - self.shared_before
        if own + grown <= self.request["together"]:
            return own
        return own + min(grown, sweep.shared_by(alive))

    def _living(self) -> dict[int, int]:
        """All but our own processes: strace, and those that stand around the code inside its walls."""
        alive = sweep.living(self.runner.tracer)
        return {pid: above for pid, above in alive.items() if pid not in self.helpers}

    def _inside_has_told(self) -> bool:
        """The first process inside ends when it has said what it saw."""
        return all(sweep.has_ended(pid) for pid in self.helpers)

    def _inside_will_tell(self) -> bool:
        """The learner's process is gone, and what it left in its folder has not been told yet."""
        return self.first_gone and self.inside is None and bool(self.helpers) and not self._inside_has_told()

    def _first_has_gone(self) -> None:
        if not self.first_gone:
            self.first_gone = True
            self.deadline = time.monotonic() + GRACE

    def _end(self) -> None:
        """Kill what is left, then take the last words."""
        self.seconds = time.monotonic() - self.started if self.started else 0.0
        self.leftovers = set(self._living())
        if self.ended_by == "timeout":
            self.waits = {pid: self.stopped.get(pid) or waits_in(pid) for pid in sorted(self.leftovers)[:10]}
        self._sweep()
        end = time.monotonic() + 1.0
        while self.loop.turn(0.0) and time.monotonic() < end:
            pass
        self._reap()

    def _sweep(self) -> None:
        """Kill until nothing is left; strace leaves when all it traced is gone."""
        runner, rounds = self.runner, 0
        while sweep.kill_all(self.census.first or runner.child, runner.tracer) and rounds < 500:
            rounds += 1
            self._turn(0.0 if rounds < 50 else 0.01)  # at once, while they fork; who sleeps in the kernel dies slowly
        patience = time.monotonic() + 1.0
        while not sweep.has_ended(runner.child):
            self._turn(0.005)
            if time.monotonic() > patience:
                sweep.kill(runner.child)
        self._reap()

    # --- one turn

    def _close(self, end: _socket.socket | int) -> None:
        """The end of anything may be the end of a process."""
        self.news = True
        self.loop.close(end)

    def _turn(self, timeout: float) -> None:
        """Whatever has come, and on with it."""
        self.loop.turn(timeout)
        self._reap()
        if not self.outbox.flush():
            self.ended_by = self.ended_by or "lost"

    def _reap(self) -> None:
        """Orphans come to us, the subreaper; so does our own child."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] != self.runner.tracer:
                    self._has_ended(*ended)

    def _has_ended(self, pid: int, status: int) -> None:
        self.news = True
        self.census.ended(pid, status)
        if pid == self.census.first:
            self._first_has_gone()

    # --- what comes

    def _on_kernel(self) -> None:
        """The kernel wants it to stop; or it is gone."""
        try:
            said = self.control.recv(100)
        except OSError:
            said = b""
        self.ended_by = self.ended_by or ("interrupt" if said else "lost")
        if not said:
            self.loop.forget(self.control)

    def _on_report(self, runner: Started) -> None:
        """A word from a process in the sandbox. What it may say depends on who it is."""
        try:
            data, pid = hear(runner.reports)
        except BlockingIOError:
            return
        if not data:
            if not pid:
                self._close(runner.reports)
            return
        kind, *words = message(data)
        with suppress(TypeError, ValueError, IndexError, OSError):  # words that are none of ours; or it is gone
            if pid in self.helpers and kind in ("ended", "files"):
                self._hear_inside(kind, words)
            elif not self.started and not self.broken:
                self._hear_runner(pid, kind, words)
            elif self.started:
                self._hear_process(pid, kind, words)

    def _hear_runner(self, pid: int, kind: str, words: list[Any]) -> None:
        """While it prepares: our own code speaks."""
        if kind == "hello":
            self._welcome(pid)
        elif kind == "ask":
            send(self.runner.reports, encode(answer(revive_tagged(ASKS, words[0]), pid)))
        elif kind == "inside":
            self.helpers = {self.census.first, pid}
        elif kind == "walls":
            self.walls = refused_walls(words[0])
            self.census.begin(pid)
        elif kind == "aside":
            self.walls = missing_walls(self.refusal, self.uid, *words)
        elif kind == "guard":
            self.guard = words[0]
        elif kind == "broken":
            self.broken = words[0]
        elif kind == "unreadable":
            self.broken = self.unreadable = words[0]
        elif kind == "ready":
            self.started = time.monotonic()
            self.deadline = self.started + self.request["timeout"]

    def _hear_inside(self, kind: str, words: list[Any]) -> None:
        """The first process inside, our own: how the learner's process ended, and what stands in its folder."""
        if kind == "files":
            self.inside = words[0]
        elif self.census.first not in self.census.statuses:
            self._has_ended(self.census.first, words[0])

    def _hear_process(self, pid: int, kind: str, words: list[Any]) -> None:
        """While the learner's code runs: of each process we believe what it says about itself."""
        self.census.spoke(pid)
        if kind == "forked":
            self._hear_fork(pid, words[0])
        elif kind == "exec":
            self.census.try_program(pid, str(words[0])[:PATH])
        elif kind == "kill":
            self.refused_signals += 1
        elif kind == "audit" and len(self.audits) < AUDITS:
            self.audits.append(str(words[0])[:WORDS])
        elif kind == "end":
            how, said, value = words
            self.census.meet(pid)
            value = str(value)[:VALUE] if pid == self.census.first else ""
            self.census.ends[pid] = [str(how)[:WORDS], str(said)[:WORDS], value]

    def _hear_fork(self, pid: int, forker: int) -> None:
        """Behind walls they know themselves by other pids, so there /proc says who forked it, if it still can."""
        above = (parent(pid) or 0) if self.shut else forker
        if self.census.is_known(above):
            self.census.announce(pid, above, children(above))
        elif self.shut:
            self.census.meet(pid, self.census.first)

    def _welcome(self, pid: int) -> None:
        """The runner's first word: now we know its pid, and it gets its orders."""
        self.census.begin(pid)
        orders = {name: self.request[name] for name in ("path", "source", "sources")}
        limits = dict(self.request["limits"])
        if os.geteuid() and not self.userns:  # then it counts every process of this user on the machine
            limits["RLIMIT_NPROC"] += sweep.threads_of(os.geteuid())
        policy = SandboxPolicy(
            walls=self.shut,
            userns=self.userns,
            uid=self.uid,
            package=self.request["folder"],
            path=tuple(self.request["path"]),
            cwd=self.request["cwd"] or self.scratch,
            limits=tuple(limits.items()),
            graded=self.request["shut"],
            protected=tuple(one for one in protected_pids() if one != pid),
        )
        orders["policy"] = plain(policy)
        send(self.runner.reports, encode(orders), [self.names])

    def _on_output(self, kind: str, stream: _socket.socket) -> None:
        """One chunk, with the pid of the process that wrote it."""
        try:
            data, pid = hear_bytes(stream, CHUNK)
        except BlockingIOError:
            return
        if not data:
            if not pid:
                self._close(stream)
            return
        if pid == self.runner.tracer or not self.census.first:  # nothing of the learner's runs before the hello
            self.complaint += data[:1000]
            return
        self.written += len(data)
        data = data[: SHOWN - self.shown]
        self.shown += len(data)
        if data:
            self.outbox.add(f"{kind}{pid} {self._role(pid)}", data)

    def _role(self, pid: int) -> str:
        """Who is that? Somebody forked by a program that is no Python: /proc says by whom, if it is still there."""
        if not self.census.is_known(pid):
            self.census.meet(pid, parent(pid) or 0)
        return self.census.roles[pid]

    def _on_trace(self, runner: Started) -> None:
        try:
            data = os.read(runner.trace, CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._close(runner.trace)
            return
        for event in self.log.feed(data):
            self._hear(event)

    def _hear(self, event: TraceEvent) -> None:
        if isinstance(event, ProcessEnded):
            self._has_ended(event.pid, event.status.raw)
        elif isinstance(event, SignalCame):
            if event.stops:
                self.stopped[event.pid] = f"was stopped by {event.name}"
        elif event.name == "execve" and CAME_TO_THE_END in event.arguments:
            self.census.ends.setdefault(event.pid, ["done", "", ""])
        else:
            self.stopped.pop(event.pid, None)
            if not event.errno:
                self.census.hear_call(event.pid, event.name, event.arguments, event.value)
            elif event.name == "execve":
                self.census.hear_refusal(event.pid, event.arguments)
            if event.pid not in self.helpers:
                self.log.keep(event)

    # --- what goes to the kernel

    def _report(self) -> dict[str, Any]:
        return {
            "processes": self.census.report(self.leftovers),
            "ends": {str(pid): words for pid, words in self.census.ends.items()},
            "collected": sorted(self.census.collected),
            "calls": self.log.report(self.census.process_of),
            "calls_dropped": self.log.dropped,
            "ended_by": self.ended_by,
            "broken": self.broken or ("" if self.started else self._first_complaint()),
            "unreadable": self.unreadable,
            "first_status": self.census.statuses.get(self.census.first),
            "files": (self.inside or {}) if self.shut else small_files(self.scratch, self.uid),
            "missing_walls": self.walls,
            "identity": "user namespace" if self.userns else f"user {self.uid}" if self.uid else "plain",
            "guard": "user" if self.uid and self.guard == "none" else self.guard or "none",
            "untraced": self.untraced,
            "written": self.written,
            "shown": self.shown,
            "signals_to_all": self.refused_signals,
            "audits": self.audits,
            "waits": {str(pid): where for pid, where in self.waits.items()},
            "seconds": self.seconds,
        }


def _frame(author: object, data: bytes) -> bytes:
    return f"o{author}\n".encode() + data


def main(control: int) -> None:
    """One request, one sandbox."""
    forget_inherited_signals()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):  # the last two come as OSError
        signal.signal(number, signal.SIG_IGN)
    enter(Wanted(adopts_orphans=True, death_signal=signal.SIGCONT))  # stopped or not, we see that the launcher is gone
    with suppress(OSError):  # where we may: first in line for a processor, also when a fork bomb wants them all
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    sock = socket.socket(fileno=control)
    sock.set_inheritable(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
    data, fds = receive(sock)
    sock.setblocking(False)
    if not data:
        return
    try:
        Keeper(sock, decode(data), fds[0]).run()
    except Exception as error:
        with suppress(OSError):
            send(sock, f"x{type(error).__name__}: {error}".encode())
        sys.exit(1)
    finally:
        hang_up(sock)
