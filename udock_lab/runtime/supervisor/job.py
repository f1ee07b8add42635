"""One container, phase by phase: from what was asked for to the end of its first process.

::

    ASKED       a child is taken, and makes the steps before its start gate, most often none   start
    PREPARED    whoever will be the program waits at the gate, and we wait for the lock         _on_prepared
    LAUNCHED    the gate is open: the child makes its steps                                     _launch
    RUNNING     its reports are at their end: it is the program, or has failed                  _on_reports_end
    OVER        its first process has ended: ending.py goes on from here                        _on_exit
    TOLD        the caller has been told the end, and takes the rest of the output              tell_the_end
    CLOSED      nothing is held any more; at most a record is still to be written               close

Each phase is entered in the one method named beside it. Up to PREPARED a signal calls the run off, and the phase that
follows is CLOSED.
"""

from __future__ import annotations

import errno
import os
import select
import time
from contextlib import suppress
from enum import Enum, auto

from udock_lab.errors import Interrupted, MdockError
from udock_lab.linux.dispositions import ENDS_NOBODY
from udock_lab.linux.process import gone
from udock_lab.runtime.child.fresh import Fresh
from udock_lab.runtime.child.kinds import Kind, kind_for
from udock_lab.runtime.child.launch import brief, open_gate
from udock_lab.runtime.child.reports import parse_reports
from udock_lab.runtime.protocol import Ended, ExecRequest, RunRequest, Signal, Started, Word, refusal
from udock_lab.runtime.state.home import storage_error
from udock_lab.runtime.state.lock import held_too_long, release, try_lock
from udock_lab.runtime.supervisor.account import Reports, account_of
from udock_lab.runtime.supervisor.caller import Caller
from udock_lab.runtime.supervisor.ending import Ending
from udock_lab.runtime.supervisor.input import Input
from udock_lab.runtime.supervisor.looks import Looks
from udock_lab.runtime.supervisor.output import Log, Output, read_some
from udock_lab.runtime.supervisor.preparing import Preparation
from udock_lab.runtime.supervisor.terminal import Terminal
from udock_lab.runtime.supervisor.waiting import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from _socket import socket

    from udock_lab.runtime.supervisor.serve import Supervisor
    from udock_lab.wire.loop import Timer
else:
    import _signal as signal

__all__ = ["Job", "Phase"]

_SOON = 0.002  # seconds
_GRACE = 5.0  # seconds between SIGTERM and SIGKILL when a foreground run's caller has died
_WANT_IT_ENDED = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL}
_ENDS_ONLY = 0  # of epoll's events: EPOLLHUP and EPOLLERR come anyway


class Phase(Enum):
    """How far a job has come: it only ever goes on in this order."""

    ASKED = auto()
    PREPARED = auto()
    LAUNCHED = auto()
    RUNNING = auto()
    OVER = auto()
    TOLD = auto()
    CLOSED = auto()


class Job:
    """A container on its way. It does nothing before :meth:`start`.

    ``stdin`` is the program's standard input, -1 where it is to get none; with a terminal it is the pipe of keys.
    ``container`` is a pidfd of the first process of the container that the program ends with.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        request: RunRequest | ExecRequest,
        sock: socket,
        stdin: int = -1,
        *,
        container: int = -1,
    ) -> None:
        loop, spec = supervisor.loop, request.spec
        self.supervisor, self.request = supervisor, request
        self.phase = Phase.ASKED
        self.home = supervisor.home(request.home)
        self.account = account_of(request, self.home, loop, supervisor.witness)
        self.caller = Caller(loop, sock, said=self._on_word, waits=self._on_waiting, gone=self._on_gone)
        self.log = Log(self.home, supervisor.log_limit, self.account.notes)
        pass_on = _to_nobody if spec.detach else self.caller.pass_on
        self.output = Output(loop, self.log, pass_on, self._look_for_start)
        self.terminal = Terminal(loop, stdin) if spec.tty else None
        self.ending: Ending | None = None
        self.child: Fresh | None = None
        self.pid = 0
        self.newest_pid: int | None = None  # of the machine, when the start gate opened
        self._container = container
        self._input = Input(-1 if spec.tty else stdin, waits=spec.interactive)
        self._preparation: Preparation | None = None
        self._turns = Turns(loop)
        self._grace: Timer | None = None
        self._reports: Reports | None = None
        self._looks = Looks(loop)

    # --- asked for

    def start(self) -> None:
        """Hear the caller, and take a child. It is prepared already, or makes the steps before its gate first."""
        self.supervisor.jobs.add(self)  # before anything can end it
        self.caller.listen()
        before_gate = self.request.steps[: self.request.before_gate]
        try:
            child = self._take_child(kind_for(before_gate))
            is_prepared = child.kind.has_made(before_gate)
            if not is_prepared:
                self._prepare(child)
        except OSError as error:
            self._refuse(storage_error(error, self.home.path))
        else:
            if is_prepared:
                self._on_prepared()

    def _take_child(self, kind: Kind) -> Fresh:
        """Take a child, and what is to be its standard input."""
        child = self.child = self.supervisor.children.take(kind, fresh=self.request.fresh)
        if self.terminal is not None:
            self.terminal.open(self.request.size)
        else:
            self._input.open()
        return child

    def _prepare(self, child: Fresh) -> None:
        supervisor = self.supervisor
        self._preparation = Preparation(supervisor.loop, supervisor.children.forker, child, self._on_prepared)
        self._preparation.begin()
        with suppress(BrokenPipeError, ConnectionResetError):  # it has ended, which is heard next
            self._brief(child)

    def _brief(self, child: Fresh) -> None:
        """Give it its plan, which is packed and sent once."""
        if not child.briefed:
            brief(child, self.request.plan, self._container)

    # --- prepared

    def _on_prepared(self) -> None:
        """Go on with whoever will be the program: it waits at the start gate."""
        assert self.child is not None
        self.phase, self._preparation = Phase.PREPARED, None
        self.pid = self.child.pid
        self._begin(self.child)

    def _begin(self, child: Fresh) -> None:
        """Write down the start, under the lock; then open the gate. Tried again while somebody else has the lock."""
        if not self.caller.is_there:
            self._forget()
            return
        try:
            if not os.path.isdir(self.home.run_dir):
                self.home.create()
            lock = try_lock(self.home) if self.account.needs_lock else -1
            if lock is None:
                if not self._turns.wait(lambda: self._begin(child)):
                    self._refuse(held_too_long(self.home))
                return
            try:
                with suppress(OSError):  # tried again at the gate, where a failure is dealt with
                    self._brief(child)  # it is read while the record is written
                self.account.begin(child)
            finally:
                if lock >= 0:
                    release(lock)
        except OSError as error:
            self._refuse(storage_error(error, self.home.path))
        except MdockError as error:
            self._refuse(error)
        else:
            self._launch(child)

    def _refuse(self, error: MdockError | Interrupted) -> None:
        """Say why nothing was started, and forget it."""
        self.caller.tell(refusal(error))
        self._forget()

    def _forget(self) -> None:
        """Give everything back: nothing was started, and the child may serve another run."""
        if self.child is not None:
            self.account.withdraw(self.child)
            preparation, self._preparation = self._preparation, None
            if preparation is not None:
                preparation.cancel()
            self.supervisor.children.give_back(self.child)
            self.child = None
            if preparation is not None:
                self.supervisor.helpers.end_leftovers()  # what it had forked by then
        self.close_input()
        self.close()

    # --- launched

    def _launch(self, child: Fresh) -> None:
        """Open the start gate. From here the child runs beside us; what follows costs the learner nothing."""
        self.phase = Phase.LAUNCHED
        self.newest_pid = self.supervisor.children.newest_pid()
        start = time.monotonic_ns()
        try:
            self._brief(child)
            if self._container >= 0 and gone(self._container):
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
            elif self.terminal is None:
                open_gate(child, self._input.fd, None)
            else:
                open_gate(child, self.terminal.slave, self.terminal.slave)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET):  # it has gone, and has told why
                self.account.notes.append(f"the gate could not be opened: {error.strerror}")
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
        self.account.mark("open_gate", start)
        self._watch(child)
        self.account.keep_identity(child)
        if self.account.has_log:
            self.log.open(self.account.id)
        self.account.look_ahead(alone=len(self.supervisor.jobs) == 1)

    def _watch(self, child: Fresh) -> None:
        loop = self.supervisor.loop
        loop.watch(child.pidfd, self._on_exit)
        loop.watch(child.reports, self._on_reports_end, _ENDS_ONLY)  # the close-on-exec end is gone
        if self.terminal is not None:
            self.output.watch_terminal(self.terminal.master)
            self.terminal.take_keys()
        else:
            self._input.hand_over()
            self.output.watch_pipes(child.stdout, child.stderr)
        if self._container >= 0:
            loop.watch(self._container, self._on_container_end)
        if self.request.snapshots:
            self._looks.watch(child)

    def _look_for_start(self) -> None:
        """Look whether exec has succeeded, before its output is passed on: its news come first."""
        if self.phase is Phase.LAUNCHED:
            assert self.child is not None
            poll = select.poll()
            poll.register(self.child.reports, _ENDS_ONLY)
            if poll.poll(0):
                self._on_reports_end(0)

    def _on_reports_end(self, _: int) -> None:
        """Read the reports to their end: exec worked, or the child has ended."""
        if self.phase is Phase.LAUNCHED:
            self.phase = Phase.RUNNING
        if self._reports is not None:
            return
        assert self.child is not None
        self._reports = _read_reports(self.child.reports)
        self.supervisor.loop.close(self.child.reports)
        self.account.keep_steps(self._reports)
        spec = self.request.spec
        waited_for = spec.detach or spec.tty or self.request.announce
        if waited_for or any(answer > 0 for _, answer, _, _ in self._reports):
            # Somebody waits for it, or should be warned before the output comes.
            account, looks = self.account, tuple(self._looks.snapshots)
            reports, notes = tuple(self._reports), tuple(account.notes)
            self.caller.tell(Started(id=account.id, pid=self.pid, reports=reports, notes=notes, snapshots=looks))

    # --- running

    def signal(self, number: int) -> None:
        """Send it to the container's process group; its leader is ours and not reaped, so the number is safe.

        Before the start gate is open there is no container: the run is called off, and its child serves the next one.
        After its end nobody waits for the lock any longer: the end is recorded as soon as the lock is free.
        """
        if self.ending is not None:
            self.ending.hurry()
        elif self.phase in (Phase.ASKED, Phase.PREPARED):
            if self.caller.is_there and number not in ENDS_NOBODY:
                self._refuse(_called_off(number))
        elif self.phase is Phase.LAUNCHED and not _has_group(self.pid):  # what is sent to it now would be lost
            self.supervisor.loop.later(_SOON, lambda: self.signal(number))
        elif self.child is not None:
            # A stopped process takes no other signal until it is continued; one that is to end, is.
            for sent in (number, signal.SIGCONT) if number in _WANT_IT_ENDED else (number,):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.child.pid, sent)
            if number == signal.SIGKILL:
                with suppress(ProcessLookupError, PermissionError):
                    signal.pidfd_send_signal(self.child.pidfd, number)

    def _on_word(self, word: Word) -> None:
        if isinstance(word, Signal):
            self.signal(word.number)
        elif self.terminal is not None and self.terminal.is_open:
            self.terminal.resize(word.rows, word.columns)

    def _on_waiting(self, waiting: bool) -> None:
        """Let the program wait, too, until its caller has caught up."""
        if waiting:
            self.output.pause()
            return
        self.output.resume()
        if self.phase is Phase.TOLD:
            self.close()

    def _on_gone(self) -> None:
        """End the container: only a detached one outlives its caller. TERM, and KILL after a while."""
        self.output.resume()
        if self.phase is Phase.TOLD:
            self.close()
        elif self.phase is Phase.ASKED:
            self._forget()  # whoever is to say that it is prepared may take long
        elif not self.request.spec.detach and self.child is not None:
            if self.terminal is not None and self.terminal.is_open:
                self.signal(signal.SIGHUP)  # an interactive shell ignores SIGTERM
            self.signal(signal.SIGTERM)
            self._grace = self.supervisor.loop.later(_GRACE, lambda: self.signal(signal.SIGKILL))

    def _on_container_end(self, _: int) -> None:
        """End a program that ``exec`` started: its container has ended."""
        self._leave_container()
        self.signal(signal.SIGKILL)

    def _leave_container(self) -> None:
        if self._container >= 0:
            self.supervisor.loop.forget(self._container)
            os.close(self._container)
            self._container = -1

    # --- over

    def _on_exit(self, _: int) -> None:
        """Handle the end of the first process. The forker reaps it while we look for what it left running."""
        assert self.child is not None
        self.phase = Phase.OVER  # from now on its number may be another's
        self.supervisor.loop.forget(self.child.pidfd)
        self.ending = Ending(self)
        self._on_reports_end(0)
        self.ending.begin()

    @property
    def is_told(self) -> bool:
        """The caller has been told the end."""
        return self.phase in (Phase.TOLD, Phase.CLOSED)

    def tell_the_end(self, status: int) -> None:
        """Say the last word, with the raw wait status."""
        self.phase = Phase.TOLD
        child, account = self.child, self.account
        self.caller.tell(
            Ended(
                id=account.id,
                pid=self.pid,
                reports=tuple(self._reports or ()),
                notes=tuple(account.notes),
                snapshots=tuple(self._looks.snapshots),
                status=status,
                parent_steps=tuple(account.parent_steps),
                fork=(child.fork_start, child.fork_end, child.forked) if child else None,
                before=account.before,
                after=account.after,
            )
        )

    def close_input(self) -> None:
        """Close the program's standard input, and its terminal."""
        self._input.close()
        if self.terminal is not None:
            self.terminal.close()

    def close(self) -> None:
        """Let go of everything: there is nothing more to tell. Closing twice is fine."""
        self.phase = Phase.CLOSED
        self.caller.hang_up()
        self.output.close()
        self.log.close()
        self._leave_container()
        if self._grace is not None:
            self._grace.cancel()
        if self.child is not None:
            self.supervisor.loop.forget(self.child.sync)
            self.child.sync.close()
            for fd in (self.child.stdout, self.child.stderr) if self.terminal is not None else ():
                os.close(fd)  # the program got its terminal in place of these
            self.child = None
        self.leave()

    def leave(self) -> None:
        """Be no job any more, unless there is something left to do."""
        if self.phase is Phase.CLOSED and (self.ending is None or not self.ending.is_pending):
            self.supervisor.jobs.discard(self)
            self.ending = None  # which holds this job: a launcher collects no garbage


def _read_reports(fd: int) -> Reports:
    data = b""
    while part := read_some(fd):
        data += part
    return parse_reports(data)


def _to_nobody(stream: bytes, data: bytes) -> None:
    """Pass on nothing: who asked for a detached container reads its log."""


def _called_off(number: int) -> Interrupted:
    return Interrupted("The run was interrupted while it waited for the lock: nothing was started.", signal=number)


def _has_group(pid: int) -> bool:
    """Return whether the child leads a process group: it has come to setsid(2)."""
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
