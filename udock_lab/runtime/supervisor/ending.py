"""How a container ends: what it left running, the rest of its output, its record, the last word to its caller."""

from __future__ import annotations

import os
import time

from udock_lab.errors import MdockError
from udock_lab.runtime.state.home import storage_error
from udock_lab.runtime.state.lock import held_too_long, release, try_lock
from udock_lab.runtime.supervisor.waiting import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.runtime.supervisor.job import Job

__all__ = ["Ending"]

_PATIENCE = 600.0  # seconds during which an end that could not be recorded is tried again
_PAUSE = 0.5  # seconds between two such attempts


class Ending:
    """From the end of the first process to the last word; each step goes on to the next one, at once or later."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.status = 0
        self._turns = Turns(job.supervisor.loop)
        self._give_up_at: float | None = None  # where the end could not be recorded yet

    @property
    def is_pending(self) -> bool:
        """The end is still to be recorded, though all else is done."""
        return self._give_up_at is not None

    def begin(self) -> None:
        """Kill what the container left running.

        Nothing can be left if no process was made since the start gate opened.
        """
        job = self.job
        newest = job.supervisor.children.newest_pid()
        nothing_came = newest is not None and newest == job.newest_pid
        if nothing_came or job.supervisor.helpers.kill_leftovers():
            self._drain()
        else:
            job.newest_pid = None
            job.supervisor.loop.later(0.001, self.begin)

    def hurry(self) -> None:
        """Wait for nobody any longer: record the end as soon as the lock is free."""
        self._turns.hurry()

    def _drain(self) -> None:
        """Take the rest of the output: every writer is dead."""
        job = self.job
        job.output.drain()
        job.close_input()
        job.account.end_programs()
        self._reap()
        self._turns.start_anew()
        self._record()

    def _reap(self) -> None:
        """Take the wait status of the container's first process, of it and it alone (waitpid(2))."""
        child, supervisor = self.job.child, self.job.supervisor
        assert child is not None
        start = time.monotonic_ns()
        self.status = supervisor.children.forker.reap(child.pid)
        os.close(child.pidfd)
        self.job.account.mark("waitpid", start)
        supervisor.children.expect_another()

    def _record(self) -> None:
        """Write down the end, under the lock where that is needed; then tell it."""
        account = self.job.account
        if not account.needs_lock:
            account.finish(self.job.pid, self.status)
            self._tell()
            return
        try:
            if not os.path.isdir(account.home.run_dir) and os.path.isfile(account.home.containers_db):
                account.home.create()  # somebody removed the folder, not the home
            lock = try_lock(account.home)
            if lock is None:
                if not self._turns.wait(self._record):
                    self._record_later(held_too_long(account.home))
                return
            try:
                old = account.finish(self.job.pid, self.status)
            finally:
                release(lock)
        except OSError as error:
            self._record_later(storage_error(error, account.home.path))
            return
        account.let_go()
        self._give_up_at = None
        self._tell()
        if old >= 0:
            os.close(old)
        self.job.supervisor.children.prepare()

    def _record_later(self, why: MdockError) -> None:
        """Tell the caller that the end could not be recorded now, and keep trying while we live."""
        job, account = self.job, self.job.account
        if self._give_up_at is None:
            hint = f"{why.hint}\nFor {_PATIENCE / 60:.0f} minutes mdock goes on trying by itself."
            account.notes.append(f"the end of {account.id} is not recorded yet: {why.message}\n{hint}")
            self._give_up_at = time.monotonic() + _PATIENCE
            self._tell()
        if time.monotonic() > self._give_up_at or not os.path.isdir(account.home.run_dir):
            account.let_go()
            self._give_up_at = None
            job.leave()
            return
        self._turns.start_anew()
        job.supervisor.loop.later(_PAUSE, self._record)

    def _tell(self) -> None:
        """Say the last word, once; whoever follows the run has been woken on this processor then, and goes first."""
        if self.job.is_told:
            self.job.leave()
            return
        self.job.tell_the_end(self.status)
        os.sched_yield()
        if self.job.caller.has_all:
            self.job.close()
