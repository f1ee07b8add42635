"""What is written down of a program, from its start to its end: of a container, or of one more program in it."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from errno import errorcode

from udock_lab.isolation.sequence import make_steps
from udock_lab.linux.process import boot_id, pid_namespace, start_ticks
from udock_lab.model import Record, Status
from udock_lab.model.plain import plain
from udock_lab.runtime.child.fresh import Fresh
from udock_lab.runtime.child.reports import EXEC, NO_ANSWER
from udock_lab.runtime.protocol import ExecRequest, RunRequest
from udock_lab.runtime.state import containers, execs, living, private, resources
from udock_lab.runtime.state.drafts import Draft
from udock_lab.runtime.state.eventlog import write_event
from udock_lab.runtime.state.extras import Identity, Steps, save_spec, save_steps
from udock_lab.runtime.state.ids import allocate
from udock_lab.runtime.state.lock import release, try_lock
from udock_lab.runtime.state.tables import Written
from udock_lab.wire.loop import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from udock_lab.runtime.state.home import Home
    from udock_lab.wire.loop import Timer
else:
    import _signal as signal

__all__ = ["Account", "Reports", "Witness", "account_of"]

Reports = list[tuple[int, int, int, int]]


class Witness:
    """Who this supervisor is: that stands beside each container which it looks after."""

    def __init__(self) -> None:
        self.boot, self.pid_namespace, self.host = boot_id(), pid_namespace(), os.uname().nodename
        self.pid, self.ticks = os.getpid(), start_ticks(os.getpid())

    def identity(self, pid: int) -> Identity:
        """Return what a container's process is known by later on."""
        return Identity(
            pid=pid,
            start_ticks=start_ticks(pid),
            boot_id=self.boot,
            started_boottime=time.clock_gettime(time.CLOCK_BOOTTIME),
            supervisor=self.pid,
            supervisor_ticks=self.ticks,
            pid_namespace=self.pid_namespace,
            host=self.host,
        )


class Account:
    """What accounts have in common. ``needs_lock``: start and end are written under the home's lock.

    ``notes`` are what went wrong on the way, in words; ``parent_steps`` what we did ourselves (name, errno, start, end
    in nanoseconds); ``before`` and ``after`` the record's two phases.
    """

    needs_lock = False
    has_log = False

    def __init__(self, home: Home) -> None:
        self.home = home
        self.id = ""
        self.notes: list[str] = []
        self.parent_steps: list[tuple[str, int, int, int]] = []
        self.before: Record | None = None
        self.after: Record | None = None

    def mark(self, name: str, start: int) -> None:
        """Note a step of our own, which began at ``start`` and has ended now."""
        self.parent_steps.append((name, 0, start, time.monotonic_ns()))

    def begin(self, child: Fresh) -> None:
        """Write down that there will be a program, before its start gate opens."""
        raise NotImplementedError

    def withdraw(self, child: Fresh) -> None:
        """Take back what begin wrote: nothing came of it."""

    def keep_identity(self, child: Fresh) -> None:
        """Write down which process it is; its start gate is open."""

    def look_ahead(self, *, alone: bool) -> None:
        """Begin what is written at the end, while the program runs. ``alone``: beside no other."""

    def keep_steps(self, reports: Reports) -> None:
        """Write down how it was set up."""

    def end_programs(self) -> None:
        """End what else was started in the container, which has ended."""

    def finish(self, pid: int, status: int) -> int:
        """Write down the end; return what is to be closed when nobody waits any more, or -1."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Give up its lock, last of all: nobody looks after it any more."""


class ContainerAccount(Account):
    """A container: its record, ``containers/<id>/``, the event log."""

    needs_lock = True
    has_log = True

    def __init__(self, home: Home, request: RunRequest, loop: Loop, witness: Witness) -> None:
        super().__init__(home)
        self._request, self._loop, self._witness = request, loop, witness
        self._held = -1  # the lock on its spec
        self._written: Written | None = None  # the table before and after our record came into it
        self._draft: Draft | None = None
        self._next_attempt: Timer | None = None

    def begin(self, child: Fresh) -> None:
        """Write phase 1: what the container has from now on, and its record.

        The pid is known because fork came first; the program has not run because the start gate is shut.
        """
        start = time.monotonic_ns()
        self.id = allocate(self.home)
        self.before = Record(
            id=self.id,
            pid=child.pid,
            image=self._request.spec.image,
            status=Status.RUNNING,
            start_time=containers.now(),
        )
        if self._request.claim:
            resources.take_over(self.home, self._request.claim, self.id)
        try:
            self._written = containers.append(self.home, self.before)
        except OSError:
            if self._request.claim:
                resources.give_back(self.home, self._request.claim, self.id)
            raise
        self.mark("record_running", start)

    def keep_identity(self, child: Fresh) -> None:
        """Write identity and spec under containers/<id>/, and RUN in the event log."""
        request = self._request
        asked = plain(request.spec) | {"rootfs": request.rootfs, "private": request.private}
        try:
            save_spec(self.home, self.id, asked, self._witness.identity(child.pid))
        except OSError as error:
            self.notes.append(f"how {self.id} was started is not kept, so exec will refuse it: {error.strerror}")
        self._hold()
        spec = request.spec
        self._event("RUN", id=self.id, pid=child.pid, image=spec.image, command=" ".join(spec.argv))

    def _hold(self) -> None:
        """Lock the container's spec: others see by this lock that it has a supervisor, wherever they are."""
        try:
            self._held = living.hold(self.home, self.id)
        except BlockingIOError:  # somebody looks just now
            self._next_attempt = self._loop.later(0.01, self._hold)

    def look_ahead(self, *, alone: bool) -> None:
        """Begin phase 2 while the program runs; nothing is missed where that cannot be.

        Beside other runs, which write to the table, it would be in vain; that of a detached one might lie for days.
        """
        assert self.before is not None
        assert self._written is not None
        draft = alone and not self._request.spec.detach
        with suppress(OSError):
            if (lock := try_lock(self.home)) is not None:
                try:
                    self._draft = containers.look_ahead(self.home, self.before, self._written, draft=draft)
                finally:
                    release(lock)

    def keep_steps(self, reports: Reports) -> None:
        """Write ``steps.json``, and EXEC_FAIL where execve was refused for good."""
        request = self._request
        planned = make_steps(request.steps)
        steps = Steps(
            reports=tuple(reports),
            parent_steps=tuple(self.parent_steps),
            steps=tuple([step.describe() for step in planned]),
            names=tuple([step.name for step in planned]),
        )
        with suppress(OSError):
            save_steps(self.home, self.id, steps)
        if failed := _failed_exec(reports):
            code = 127 if failed == errno.ENOENT else 126
            name, program = errorcode.get(failed, failed), request.spec.argv[0]
            self._event("EXEC_FAIL", id=self.id, program=program, errno=name, code=code)

    def end_programs(self) -> None:
        """End what exec started in this container. Each has a supervisor, which may have been killed."""
        if self._next_attempt is not None:
            self._next_attempt.cancel()
        left = execs.end_all(self.home, self.id)
        if left:
            self.notes.append(execs.may_run_on(self.id, left))

    def finish(self, pid: int, status: int) -> int:
        """Write phase 2, and EXIT in the event log."""
        start = time.monotonic_ns()
        code = _shell_code(status)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        ended_at, draft = containers.now(), self._draft
        self.after, old = containers.finish(self.home, self.id, code, ended_at, killed=killed, begun=draft)
        self.mark("record_ended", start)
        if self._request.spec.remove:
            self._discard()
        word = self.after.status.value if self.after else "removed"
        self._event("EXIT", id=self.id, pid=pid, code=code, status=word)
        return old

    def _discard(self) -> None:
        """Remove the container. What resists keeps its record; whoever is attached hears of it."""
        why = ""
        try:
            for refusal in private.discard(self.home, [self.id]).values():
                why = refusal.message
        except OSError as error:
            why = f"{error.strerror}."
        if why:
            self.notes.append(
                f"{self.id} is not removed: {why}\nWhen the reason is gone, remove it with: mdock rm {self.id}"
            )

    def let_go(self) -> None:
        """Give the lock back: the end is recorded, or given up. A child forked meanwhile keeps no lock either."""
        if self._draft is not None:
            self._draft.discard()
        if self._held >= 0:
            release(self._held)
            self._held = -1

    def _event(self, event: str, **fields: object) -> None:
        """Write to the event log. Where it cannot be written, what happened has happened all the same."""
        try:
            write_event(self.home, event, **fields)
        except OSError as error:
            self.notes.append(f"log.txt lacks a line ({event} of {self.id}): {error.strerror}")


class ExecAccount(Account):
    """A program that ``exec`` started: remembered in its container's folder, so that it ends with it."""

    def __init__(self, home: Home, container_id: str) -> None:
        super().__init__(home)
        self._container_id = container_id

    def begin(self, child: Fresh) -> None:
        """Note the process, so that it ends with its container, even if we are killed."""
        self.id = self._container_id
        try:
            execs.remember(self.home, self.id, child.pid, child.pidfd)
        except OSError as error:
            self.notes.append(f"should its supervisor be killed, {self.id} cannot end this: {error.strerror}")

    def withdraw(self, child: Fresh) -> None:
        """Forget it, if it was remembered."""
        if self.id:
            execs.forget(self.home, self.id, child.pid)

    def finish(self, pid: int, status: int) -> int:
        """Forget it."""
        execs.forget(self.home, self.id, pid)
        return -1


def account_of(request: RunRequest | ExecRequest, home: Home, loop: Loop, witness: Witness) -> Account:
    """Return an empty account for what was asked for."""
    if isinstance(request, ExecRequest):
        return ExecAccount(home, request.container_id)
    return ContainerAccount(home, request, loop, witness)


def _failed_exec(reports: Reports) -> int:
    """Return the errno of an execve that failed for good, or 0."""
    answers = [answer for number, answer, _, _ in reports if number == EXEC]
    if not answers or answers[-1] == NO_ANSWER:
        return 0
    return errno.EACCES if errno.EACCES in answers else answers[-1]


def _shell_code(status: int) -> int:
    """Return the exit code as a shell says it: 128 + n for signal n."""
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
