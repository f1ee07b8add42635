"""``udock-lab grade --cluster``: a class judged by the workers of a Dask cluster, of this machine or of many.

Dask brings a submission to a worker, and to another one when that is lost. Nothing here depends on its doing so: a
result is a file that the worker writes (clusterwork.py), and what has not come back after a while is asked for anew.
Seen with distributed 2026.8: 15 s after a worker was lost (``distributed.deploy.lost-worker-timeout``), a LocalCluster
ends the nanny of that name if it has no worker just then, be it that a new one starts, and does not replace it. Without
a worker tasks are queued for ever, and a client waits for ever. So workers are counted here, and ours are replaced.

A submission whose worker was lost is judged last and alone; after three workers it is marked (tries.py).
"""

from __future__ import annotations

import logging
import shutil
import signal
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from udock_lab.errors import MdockError, NotFound, Unsupported, UsageError
from udock_lab.grading.batch import Batch
from udock_lab.grading.clusterwork import Asked, Row, asked_in, dask_setup, judge, software
from udock_lab.grading.marks import Result, shared
from udock_lab.grading.submissions import Sent
from udock_lab.grading.tries import MOST, Tries
from udock_lab.linux.wholefile import write_whole
from udock_lab.model.value import replace

__all__ = ["LOCAL", "grade_on_cluster"]

LOCAL = "local"
PATIENCE = 600.0  # seconds in which nothing comes back, though there are workers
_TICK = 1.0  # seconds between two looks at the workers
_ALONE = 60.0  # seconds that a cluster of ours may be without any worker
_ROUNDS = 3  # clusters, one after the other, in which nothing comes back
_AHEAD = 2  # submissions for each thread of a worker that wait for it
_SILENCED = ("distributed", "tornado", "asyncio")
_ON = "What is graded is kept; the same command goes on from there."


def grade_on_cluster(
    address: str,
    batch: Batch,
    sent: Sequence[Sent],
    jobs: int,
    tell: Callable[[Result], object],
    note: Callable[[str], object],
) -> None:
    """Have all of them judged; ``address`` is that of a scheduler, or ``local`` for ``jobs`` workers here.

    ``tell`` hears of each result once. Raises Unsupported where Dask is not installed, NotFound where no scheduler
    answers, MdockError with a worker's words where one refuses.
    """
    batch.check_out()
    tries = Tries(batch.out)
    if batch.again:
        for one in sent:
            tries.end(one)
    with _begun(batch.out) as begun:
        run = _Run(batch, begun, sent, tell, note)
        for _ in range(_ROUNDS):
            with _place(address, jobs, scratch=asked_in(batch.out, f"{begun}.workers")) as place:
                run.go(place)
            if run.finished:
                return
            note("The cluster has answered nothing for a while: it is asked anew.")
    raise MdockError("The cluster does not answer.", f"Look at its scheduler and workers. {_ON}")


@contextmanager
def _begun(out: Path) -> Iterator[str]:
    """Write the file by which workers know this folder. Those of earlier runs go: nobody judges for them now."""
    begun = uuid.uuid4().hex
    place = asked_in(out, begun)
    shutil.rmtree(place.parent, ignore_errors=True)
    write_whole(place, b"")
    try:
        yield begun
    finally:
        place.unlink(missing_ok=True)
        shutil.rmtree(asked_in(out, f"{begun}.workers"), ignore_errors=True)
        with suppress(OSError):
            place.parent.rmdir()


# --- the submissions


class _Run:
    """Which submissions are still to be judged, which are on their way, and which are to be judged alone."""

    def __init__(
        self,
        batch: Batch,
        begun: str,
        sent: Sequence[Sent],
        tell: Callable[[Result], object],
        note: Callable[[str], object],
    ) -> None:
        self._batch, self._begun, self._tell, self._note = batch, begun, tell, note
        self._fresh, self._suspects = deque(sent), deque[Sent]()
        self._flying: dict[Future[Row], Sent] = {}
        self._lost = Counter[tuple[str, str]]()
        self._versions = batch.all_versions()

    @property
    def finished(self) -> bool:
        """Every result is there."""
        return not (self._fresh or self._suspects or self._flying)

    def go(self, place: _Place) -> None:
        """Judge until all is done, or until this place is of no more use: then what was on its way is as before."""
        heard = looked = time.monotonic()
        while not self.finished:
            self._send(place)
            done, _ = wait(self._flying, _TICK, FIRST_COMPLETED)
            usable, now = True, time.monotonic()
            for future in done:
                usable = self._take(future) and usable
            if done:
                heard = now
            if now - looked >= _TICK:
                looked = now
                usable = place.look(self._note) and usable
                heard = now if place.waits else heard
            if not usable or now - heard > PATIENCE:
                break
        for future, sent in self._flying.items():
            future.cancel()
            self._fresh.append(sent)
        self._flying.clear()

    def _send(self, place: _Place) -> None:
        """Keep every worker busy, and no more: tasks that wait cost memory."""
        while self._fresh and len(self._flying) < place.room:
            self._ask(place, self._fresh.popleft())
        if self._suspects and not self._fresh and not self._flying:
            self._ask(place, self._suspects.popleft(), alone=True)

    def _ask(self, place: _Place, sent: Sent, *, alone: bool = False) -> None:
        batch = self._batch
        beside = tuple((name, path.absolute()) for name, path in sent.beside)
        asked = Asked(
            sent=replace(sent, path=sent.path.absolute(), beside=beside),
            out=batch.out.absolute(),
            course=batch.course.absolute() if batch.course else None,
            again=batch.again,
            begun=self._begun,
            versions=self._versions,
            software=software(),
            alone=alone,
        )
        self._flying[place.executor.submit(judge, asked)] = sent

    def _take(self, future: Future[Row]) -> bool:
        """Hear what became of one; return whether the scheduler is still there. MdockError where a worker refuses."""
        sent = self._flying.pop(future)
        try:
            row = future.result()
        except CancelledError:  # the connection to the scheduler is gone
            self._fresh.append(sent)
            return False
        except Exception as error:
            if type(error).__name__ != "KilledWorker":
                raise MdockError(
                    f"A worker could not judge {sent.path.name}: {type(error).__name__}: {error}",
                    f"Each worker needs {software()}. {_ON}",
                ) from None
            self._count_lost(sent)
            row = Row(suspect=True)
        if row.refused:
            raise MdockError(f"{row.refused} {_ON}")
        if row.result is None:
            self._suspects.append(sent)
        else:
            self._tell(shared(row.result))
        return True

    def _count_lost(self, sent: Sent) -> None:
        """Count what Dask has given up. Others may have ended these workers, or each of them dies by itself."""
        self._lost[sent.learner, sent.name] += 1
        if self._lost[sent.learner, sent.name] > MOST:
            raise MdockError(
                f"Workers end before they judge {sent.path.name}: Dask has given it up {MOST + 1} times.",
                f"Look at their logs; have they enough memory? {_ON}",
            )


# --- the workers


class _Place:
    """A connection to a scheduler, and the cluster of ours behind it; None where it is somebody else's."""

    def __init__(self, client: Any, cluster: Any, wanted: int) -> None:
        self.executor: Executor = client.get_executor(pure=False, retries=0)
        self._client, self._cluster, self._wanted = client, cluster, wanted
        self._threads, self._noted = wanted, 0.0
        self._seen = time.monotonic()

    @property
    def room(self) -> int:
        """How many submissions may be on their way."""
        return max(1, self._threads) * _AHEAD

    @property
    def waits(self) -> bool:
        """There is no worker yet, which of somebody else's cluster is a matter of time."""
        return self._cluster is None and not self._threads

    def look(self, note: Callable[[str], object]) -> bool:
        """Count the workers, replace those that are gone for good; return whether this place is of use."""
        now = time.monotonic()
        if self._client.status not in ("running", "connecting"):
            return False
        if self._cluster is None:
            with suppress(OSError, TimeoutError):
                found = self._client.sync(self._client.scheduler.ncores, callback_timeout=5)
                self._threads = sum(found.values())
            if not self._threads and now - self._noted > _ALONE:
                self._noted = now
                note("No worker is there yet. It goes on when one comes; Ctrl-C ends it, and nothing is lost.")
            return True
        there = len(self._cluster.scheduler.workers)
        if there < self._wanted:
            self._cluster.scale(self._wanted)
        self._seen = now if there else self._seen
        return now - self._seen < _ALONE


@contextmanager
def _place(address: str, jobs: int, scratch: Path) -> Iterator[_Place]:
    """Connect to a scheduler, or start a cluster, whose workers keep their files in ``scratch``."""
    try:
        import distributed

        security = _security(distributed) if address == LOCAL else None
    except ImportError:
        raise Unsupported(
            "--cluster needs Dask and cryptography, which are not both installed.",
            "Type: pip install 'udock-lab[cluster]' and then the same command. Without Dask: --shard.",
        ) from None
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in _SILENCED]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what it says here is said in our words
    cluster = _local(distributed, jobs, scratch, security) if address == LOCAL else None
    client = None
    try:
        client = _client(distributed, cluster or address)
        yield _Place(client, cluster, jobs if cluster else 0)
    finally:
        for one in filter(None, (client, cluster)):
            with suppress(Exception):  # it is gone already, or does not answer
                one.close(timeout=10)


def _security(distributed: Any) -> Any:
    """Make keys for this process and our workers: learners' code may reach the scheduler's port."""
    return distributed.Security.temporary()


def _local(distributed: Any, jobs: int, scratch: Path, security: Any) -> Any:
    """Start workers here, who speak to the scheduler with the keys in ``security``."""
    import dask

    settings: dict[str, object] = {
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
        "distributed.worker.profile.enabled": False,
        "distributed.deploy.lost-worker-timeout": "1 day",
    }
    dask.config.set(settings)
    # Ctrl-C is for this process. Workers inherit the mask of the thread that starts them, until they have a session.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return distributed.LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            memory_limit=None,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            security=security,
            local_directory=str(scratch.absolute()),
            silence_logs=logging.CRITICAL,
            preload=[dask_setup.__module__],
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _client(distributed: Any, where: Any) -> Any:
    try:
        return distributed.Client(where, timeout=10)
    except ValueError as error:
        raise UsageError(
            f"--cluster {where}: {error}.", "It is a scheduler's address, as tcp://10.0.0.1:8786, or: local"
        ) from None
    except OSError as error:
        raise NotFound(f"No Dask scheduler answers at {where}: {error}.", f"Is it there? {_ON}") from None
