"""How containers that have ended are removed: their programs that still run, their files, their records."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import starmap

from udock_lab.errors import Conflict, MdockError
from udock_lab.model import Container, Record
from udock_lab.runtime.looking import listing, records, refuse_elsewhere, runs_elsewhere
from udock_lab.runtime.state import containers, execs, living, private, resources
from udock_lab.runtime.state.home import Home
from udock_lab.runtime.state.listing import EVERYTHING, Standing
from udock_lab.runtime.state.lock import locked
from udock_lab.runtime.unsaid import Unsaid

__all__ = ["end_execs", "end_what_runs_on", "prune", "remove"]


def remove(home: Home, unsaid: Unsaid, container: Container, *, force: bool = False) -> None:
    """Remove a container that does not run here. ``force``: also one that runs elsewhere; its program runs on."""
    container_id = container.id
    if not force:
        refuse_elsewhere(container)
    with locked(home):
        record = containers.find(home, container_id)
        if not containers.has_ended(record) and living.is_alive(home, record):
            raise Conflict(
                f"Container '{container_id}' is running.",
                f"Stop it first: mdock stop {container_id}   or: mdock rm -f {container_id}",
            )
        end_what_runs_on(home, unsaid, [record])
        refused = private.discard(home, [container_id])
        resources.release_strays(home)
    for why in refused.values():
        raise _not_removed(container_id, why)
    unsaid.log("RM", id=container_id)
    if container.elsewhere:
        left = runs_elsewhere(container).message
        unsaid.add(f"{left} Its record and its files are removed; its program was not ended.")


def prune(home: Home, unsaid: Unsaid, on_refused: Callable[[MdockError], None] | None) -> list[str]:
    """Remove every container that has ended; their ids. ``on_refused`` is told of each whose files resist."""
    found = listing(home, unsaid).standings(EVERYTHING)
    ended = {one.id for one in found if not one.alive and not _is_spared(one, unsaid)}
    if not os.path.isdir(home.run_dir):  # nothing ever ran here, and pruning is no reason to make a home
        return []
    with locked(home):
        recorded = {record.id: record for record in records(home, unsaid)}
        there = [container_id for container_id in recorded if container_id in ended]  # somebody else may prune too
        end_what_runs_on(home, unsaid, [recorded[container_id] for container_id in there])
        refused = private.discard(home, there) if there else {}
        resources.release_unrecorded(home, set(recorded))
        resources.release_strays(home)
    removed = [container_id for container_id in there if container_id not in refused]
    for container_id in removed:
        unsaid.log("RM", id=container_id)
    for error in starmap(_not_removed, refused.items()):
        if on_refused is None:
            raise error
        on_refused(error)
    return removed


def end_what_runs_on(home: Home, unsaid: Unsaid, ended: Sequence[Record]) -> None:
    """End what is left of containers whose first processes have ended."""
    for record in ended:
        end_execs(home, unsaid, record.id)
    orphaned = [record for record in ended if not containers.has_ended(record)]
    if orphaned:
        execs.end_orphans(home, orphaned)


def end_execs(home: Home, unsaid: Unsaid, container_id: str) -> None:
    """End what exec started in this container, and tell what resists.

    It ends with its container even when its supervisors were killed.
    """
    left = execs.end_all(home, container_id)
    if left:
        unsaid.add(execs.may_run_on(container_id, left))


def _is_spared(container: Standing, unsaid: Unsaid) -> bool:
    """Return whether it runs elsewhere, and say so: it can still be removed by its name."""
    if not container.elsewhere:
        return False
    error = runs_elsewhere(container)
    unsaid.add(f"{error.message} It stays.\n{error.hint}")
    return True


def _not_removed(container_id: str, why: MdockError) -> MdockError:
    """Return the error of a removal that failed.

    The record is kept, so that it can be removed when the reason is gone.
    """
    return type(why)(f"Container '{container_id}' is not removed: {why.message}", why.hint)
