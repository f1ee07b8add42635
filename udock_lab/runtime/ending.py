"""How containers are ended, and waited for: the intent is written first, then the signal is sent, then it settles."""

from __future__ import annotations

import errno
import os
import signal as signals
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from udock_lab.errors import Conflict, MdockError, NotFound, StorageError
from udock_lab.linux.process import descendants, gone, is_dying
from udock_lab.model import Record, Status
from udock_lab.runtime.lastword import await_last_word, end_of_removed, stopped_supervisors
from udock_lab.runtime.looking import look_up, refuse_elsewhere, running
from udock_lab.runtime.removing import end_execs, end_what_runs_on
from udock_lab.runtime.signalling import ask_permission, its_pidfd, send, signal_name
from udock_lab.runtime.state import containers, living
from udock_lab.runtime.state.extras import load_spec
from udock_lab.runtime.state.home import DISK_FULL, Home, storage_error
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.unsaid import Unsaid

__all__ = ["Ending"]

_STOPPABLE_DESPITE = (*DISK_FULL, errno.EROFS)
_LOOK = 0.2  # seconds between two looks at a record whose process cannot be seen from here


class Ending:
    """The ends of a home's containers; ``unsaid`` hears what could not be recorded of them."""

    def __init__(self, home: Home, unsaid: Unsaid) -> None:
        self._home = home
        self._unsaid = unsaid

    def stop(self, container_id: str, timeout: float | None) -> Record:
        """Send SIGTERM, then SIGKILL after ``timeout`` seconds (None: never); the final record."""
        record = containers.find(self._home, container_id)
        with its_pidfd(self._home, record) as pidfd:
            if pidfd is None:
                refuse_elsewhere(look_up(self._home, container_id))
                end_execs(self._home, self._unsaid, record.id)
                return await_last_word(self._home, record, load_spec(self._home, record.id))
            below = descendants(record.pid)
            with self._intent(record, pidfd, Status.STOPPED) as stands:
                if not stands:
                    return containers.find(self._home, container_id)
                send(record.pid, pidfd, signals.SIGTERM)
                send(record.pid, pidfd, signals.SIGCONT)
                self._unsaid.log("STOP", id=record.id, pid=record.pid)
            killed = False
            if not gone(pidfd, timeout):
                below = descendants(record.pid)
                killed = self._kill_now(record, pidfd)
            return self._settle(record, pidfd, below, killed=killed)

    def kill(self, container_id: str, number: int) -> Record:
        """Send a signal to the process group; SIGKILL waits for the end."""
        record = running(self._home, container_id)
        with its_pidfd(self._home, record) as pidfd:
            if pidfd is None:
                raise Conflict(f"Container '{container_id}' is not running.")
            if number != signals.SIGKILL:
                ask_permission(record.pid, pidfd)
                self._unsaid.log("KILL", id=container_id, signal=signal_name(number))
                send(record.pid, pidfd, number)
                return containers.find(self._home, container_id)
            below = descendants(record.pid)
            with self._intent(record, pidfd, Status.KILLED) as stands:
                if stands:
                    send(record.pid, pidfd, number)
                    self._unsaid.log("KILL", id=record.id, pid=record.pid)
            return self._settle(record, pidfd, below, killed=True)

    def wait(self, container_id: str) -> Record:
        """Wait for the end; the final record. MdockError where nobody is left to write it."""
        record = containers.find(self._home, container_id)
        with its_pidfd(self._home, record) as pidfd:
            if pidfd is not None:
                gone(pidfd, None)
        while living.elsewhere(self._home, record):  # its supervisor tells us, through the table
            time.sleep(_LOOK)
            with suppress(NotFound):
                record = containers.find(self._home, container_id)
        record = await_last_word(self._home, record, load_spec(self._home, record.id), 15.0)
        try:
            record = containers.find(self._home, container_id)
        except NotFound:
            record = end_of_removed(self._home, record, 15.0)
            if not containers.has_ended(record):
                raise
        if not containers.has_ended(record):
            raise self._end_unknown(container_id)
        return record

    def _end_unknown(self, container_id: str) -> MdockError:
        """Return the error for a container whose end nobody has written down."""
        stuck = stopped_supervisors(load_spec(self._home, container_id).identity)
        if stuck:
            pids = " ".join(map(str, stuck))
            return MdockError(
                f"{container_id} has ended, and how is not known: process {pids}, which supervises it, is stopped.",
                f"Continue with: kill -CONT {pids}   Then its end is recorded.",
            )
        return MdockError(
            f"{container_id} is orphaned: its supervisor was killed, so how it ended is not known.",
            f"Remove its record with: mdock rm {container_id}",
        )

    @contextmanager
    def _intent(self, record: Record, pidfd: int, status: Status) -> Iterator[bool]:
        """Write down what is about to be done; taken back if it is refused. False: it ended by itself meanwhile.

        Under the lock, and so is the end of a container recorded: log.txt has both in their order.
        """
        ask_permission(record.pid, pidfd)
        before: Status | None = None
        with self._lock_where_writable():
            try:
                before = containers.set_intent(self._home, record.id, status)
            except Conflict:
                yield False
                return
            except OSError as error:
                if error.errno not in _STOPPABLE_DESPITE:
                    raise
                why = storage_error(error, self._home.path).message
                self._unsaid.add(f"{why} So the record of {record.id} does not say that it was stopped.")
            try:
                yield True
            except MdockError:
                if before is not None:
                    containers.take_back(self._home, record.id, status, before)
                raise

    def _kill_now(self, record: Record, pidfd: int) -> bool:
        """Send SIGKILL, unless a signal has ended it already and it only has to go; return whether it was sent."""
        with self._lock_where_writable():
            if gone(pidfd, 0) or is_dying(record.pid):
                return False
            send(record.pid, pidfd, signals.SIGKILL)
            self._unsaid.log("KILL", id=record.id, pid=record.pid)
            return True

    @contextmanager
    def _lock_where_writable(self) -> Iterator[None]:
        """Take the lock where that can be written: also on a full or read-only disk a container must be stoppable."""
        with ExitStack() as held:
            try:
                held.enter_context(locked(self._home))
            except StorageError as error:
                if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in _STOPPABLE_DESPITE:
                    raise
            yield

    def _settle(self, record: Record, pidfd: int, below: list[int], *, killed: bool) -> Record:
        """Wait for the process to go and for its supervisor's last word; do its work if it is dead."""
        if not gone(pidfd, 10.0):
            raise MdockError(
                f"{record.id} has not ended yet: SIGKILL was sent, and process {record.pid} is still there.",
                f"The kernel may be busy for it (state D); see: ps -o pid,stat,wchan,cmd -p {record.pid}",
            )
        kept = load_spec(self._home, record.id)
        for supervisor in stopped_supervisors(kept.identity):  # by the container, perhaps; only they know the true end
            with suppress(OSError):
                os.kill(supervisor, signals.SIGCONT)
        try:
            final = await_last_word(self._home, containers.find(self._home, record.id), kept, 10.0)
        except NotFound:
            return end_of_removed(self._home, record)
        if final.end_time is not None:
            return final
        for pid in below:
            with suppress(OSError):
                os.kill(pid, signals.SIGKILL)
        end_what_runs_on(self._home, self._unsaid, [final])  # once the end is written, nobody looks for it any more
        return self._write_the_end(final, killed=killed)

    def _write_the_end(self, record: Record, *, killed: bool) -> Record:
        """Write phase 2 in the place of a supervisor that died; the final record."""
        code = 137 if killed else 143
        try:
            with locked(self._home):
                after, old = containers.finish(self._home, record.id, code, containers.now(), killed=killed)
                if old >= 0:
                    os.close(old)
        except StorageError as error:
            raise StorageError(
                f"{record.id} has ended, but that is not recorded: {error.message}", error.hint
            ) from error
        return after or end_of_removed(self._home, record)
