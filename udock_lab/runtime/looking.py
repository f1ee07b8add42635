"""How containers stand: what their records say, beside what the kernel says of their processes."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

from udock_lab.errors import Conflict, NotFound
from udock_lab.model import Container, Isolation, Record, Status
from udock_lab.runtime.client.result import isolation_of
from udock_lab.runtime.lastword import await_last_word, spec_of_the_newest
from udock_lab.runtime.state import containers, living
from udock_lab.runtime.state.extras import NOTHING_KEPT, Identity, Listed, Reported, load_spec, load_steps
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.listing import Listing, Standing
from udock_lab.runtime.unsaid import Unsaid

__all__ = [
    "container_of",
    "has_ended",
    "listing",
    "look_up",
    "records",
    "refuse_elsewhere",
    "running",
    "runs_elsewhere",
]


def records(home: Home, unsaid: Unsaid) -> list[Record]:
    """Return every record as the table has it; no process is looked for."""
    found, corrupt = containers.read_all(home)
    unsaid.no_records(home.containers_db, corrupt)
    return found


def listing(home: Home, unsaid: Unsaid) -> Listing:
    """Return one look at all containers, to choose from."""
    return Listing(home.containers_db, partial(records, home, unsaid), partial(_stand, home))


def look_up(home: Home, container_id: str) -> Container:
    """Return the container as it is now. What seems orphaned is looked at twice, as a listing does it."""
    standing = _stand(home, containers.find(home, container_id))
    if standing.is_orphaned:
        standing = _stand(home, containers.find(home, container_id))
    return container_of(home, standing)


def running(home: Home, container_id: str) -> Record:
    """Return the record of a container that runs here; Conflict for any other."""
    container = look_up(home, container_id)
    record = container.record
    refuse_elsewhere(container)
    if not container.alive:
        raise Conflict(
            f"Container '{container_id}' is not running ({container.state}).",
            f"Start another one: mdock run {record.image}",
        )
    return record


def has_ended(home: Home, container_id: str) -> bool:
    """Return whether nothing is added to its log any more."""
    try:
        container = look_up(home, container_id)
        return not container.alive and not container.elsewhere
    except NotFound:  # removed meanwhile: an open log is still read to its end
        return True


def container_of(home: Home, standing: Standing, *, isolation: bool = True, has_files: bool = True) -> Container:
    """Add what the container's own files say."""
    record, kept = standing.record, standing.kept
    if kept is None:
        kept = load_spec(home, record.id) if has_files else NOTHING_KEPT
    listed = kept.listed
    return Container(
        record=record,
        state=standing.state,
        alive=standing.alive,
        uptime=_uptime(kept.identity, record) if standing.alive else None,
        command=" ".join(listed.argv),
        isolation=_isolation(home, record.id, listed) if isolation and has_files else None,
        elsewhere=standing.elsewhere,
    )


def _stand(home: Home, record: Record) -> Standing:
    """Compare the record with what the kernel says of that very process."""
    if containers.has_ended(record):
        return Standing(record, record.status.value)
    kept = load_spec(home, record.id)
    alive = living.is_alive(home, record, kept)
    if not alive:
        kept = spec_of_the_newest(home, record) if kept.unknown else kept
        record = await_last_word(home, record, kept)
    state = record.status.value
    elsewhere = "" if alive else living.elsewhere(home, record)
    if elsewhere:
        state = f"elsewhere ({elsewhere})"
    elif not containers.has_ended(record) and not alive:
        state = f"{'exited' if record.status is Status.RUNNING else state} (orphaned)"
    elif alive and record.status is not Status.RUNNING:
        state = "stopping"
    return Standing(record, state, alive=alive, elsewhere=elsewhere, kept=kept)


def _isolation(home: Home, container_id: str, listed: Listed) -> Isolation | None:
    steps = load_steps(home, container_id, Reported)
    if steps.reports is None:
        return None
    with suppress(LookupError):  # somebody edited the file
        return isolation_of(bool(listed.userns), steps.reports, steps.names)
    return None


def _uptime(identity: Identity, record: Record) -> float:
    """Return seconds since the start, from the boot clock where we noted it: a clock step does not change it."""
    started = identity.started_boottime
    boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
    if started is not None and 0 <= started <= boottime:
        return boottime - started
    began = living.began(record.pid)
    return max(0.0, time.time() - began) if began else 0.0


def refuse_elsewhere(container: Container) -> None:
    """Raise Conflict for a container whose processes cannot be seen or signalled from here."""
    if container.elsewhere:
        raise runs_elsewhere(container)


def runs_elsewhere(container: Container | Standing) -> Conflict:
    """Return the error for a container whose processes cannot be seen or signalled from here."""
    why, remove = container.elsewhere, f"To remove it all the same: mdock rm -f {container.id}"
    if why.startswith("host "):
        where, do = f"on {why}", f"Do it there: ssh {why.removeprefix('host ')}"
    elif why == "another pid namespace":
        where, do = f"in {why}", "Do it where it was started: in that dev container, or that kernel's terminal."
    elif why.startswith("no /proc"):
        where = "where it cannot be seen: there is " + why
        do = "Give mdock one, without changing it for others: unshare --mount-proc mdock ps"
    elif why == "/proc hides it":
        where, do = "hidden: /proc shows you no process of others (hidepid)", "Do it as its owner, or with sudo."
    else:
        where, do = f"in {why}", "Do it where it was started."
    return Conflict(f"Container '{container.id}' runs {where}.", f"{do}\n{remove}")
