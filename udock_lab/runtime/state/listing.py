"""What ``ps`` lists: chosen by what the table says, and looked up in /proc only where the table leaves that open.

An ended container is what its record says. So of 10,000 containers that have ended no process is looked for, and of
those that are not to be shown nothing is read at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from udock_lab.model import Record
from udock_lab.runtime.state.containers import has_ended
from udock_lab.runtime.state.extras import Kept
from udock_lab.runtime.state.tables import Fingerprint, fingerprint

__all__ = ["EVERYTHING", "Choice", "Listing", "Standing"]


class Standing:
    """A record beside what the kernel says of its process.

    ``kept`` is what was read of the container's own files to tell that; None where the record alone told.
    """

    __slots__ = ("alive", "elsewhere", "kept", "record", "state")

    def __init__(
        self,
        record: Record,
        state: str,
        *,
        alive: bool = False,
        elsewhere: str = "",
        kept: Kept | None = None,
    ) -> None:
        self.record = record
        self.state = state
        self.alive = alive
        self.elsewhere = elsewhere
        self.kept = kept

    @property
    def id(self) -> str:
        """The container's id."""
        return self.record.id

    @property
    def is_orphaned(self) -> bool:
        """Whether its record says that it runs, and the kernel says that it does not."""
        return not self.alive and not self.elsewhere and not has_ended(self.record)


class Choice:
    """Which containers to list: those that are alive (``running``), whose record and whose standing pass.

    ``last``: of these the last so many, in the order of their ids.
    """

    __slots__ = ("last", "of_record", "of_standing", "running")

    def __init__(
        self,
        *,
        running: bool = False,
        of_record: Callable[[Record], bool] | None = None,
        of_standing: Callable[[Standing], bool] | None = None,
        last: int | None = None,
    ) -> None:
        self.running = running
        self.of_record = of_record
        self.of_standing = of_standing
        self.last = last

    def alive(self) -> Choice:
        """Return the choice of those of them that are alive."""
        return Choice(running=True, of_record=self.of_record, of_standing=self.of_standing, last=self.last)

    def may_take(self, record: Record) -> bool:
        """Return whether the record does not rule it out."""
        return not (self.running and has_ended(record)) and (self.of_record is None or self.of_record(record))

    def takes(self, standing: Standing) -> bool:
        """Return whether how it stands does not rule it out, after its record has not."""
        return (standing.alive or not self.running) and (self.of_standing is None or self.of_standing(standing))


EVERYTHING = Choice()


class Listing:
    """One look at the containers of a table: ``read`` gives its records, ``look`` looks for the process of one."""

    def __init__(self, table: str, read: Callable[[], list[Record]], look: Callable[[Record], Standing]) -> None:
        self._table = table
        self._read = read
        self._look = look
        self._as_read = _fingerprint(table)
        self._latest: dict[str, Record] | None = None  # if the table has changed since

    def ids(self, choice: Choice) -> list[str]:
        """Return the ids of the chosen; a process is looked for only where the choice depends on it."""
        look = choice.running or choice.of_standing is not None
        return [standing.id for standing in self._choose(choice, self._stand if look else _as_recorded)]

    def standings(self, choice: Choice) -> list[Standing]:
        """Return how the chosen stand, in the order of their records."""
        return self._choose(choice, self._stand)

    def _choose(self, choice: Choice, stand: Callable[[Record], Standing | None]) -> list[Standing]:
        """Go through the records, from the last on where only the last are asked for."""
        records = self._read()
        if choice.last is not None:
            records = sorted(records, key=_number)
            records.reverse()
        chosen: list[Standing] = []
        for record in filter(choice.may_take, records):
            standing = stand(record)
            if standing is not None and choice.takes(standing):
                chosen.append(standing)
            if len(chosen) == choice.last:
                break
        return chosen if choice.last is None else chosen[::-1]

    def _stand(self, record: Record) -> Standing | None:
        """Tell how a container stands; None for one that was removed meanwhile.

        What seems orphaned may have ended between our reading of the table and that of /proc: it is looked at again
        if its record has changed.
        """
        if has_ended(record):
            return _as_recorded(record)
        standing = self._look(record)
        if not standing.is_orphaned:
            return standing
        latest = self._changed_table()
        if latest is None or latest.get(record.id) == standing.record:
            return standing
        return self._look(latest[record.id]) if record.id in latest else None

    def _changed_table(self) -> dict[str, Record] | None:
        """Return the records as they are now, or None if the table is the one that we read at first."""
        now = _fingerprint(self._table)
        if now != self._as_read:
            self._as_read = now
            self._latest = {record.id: record for record in self._read()}
        return self._latest


def _as_recorded(record: Record) -> Standing:
    return Standing(record, record.status.value)


def _fingerprint(table: str) -> Fingerprint | None:
    try:
        return fingerprint(os.stat(table))
    except OSError:
        return None


def _number(record: Record) -> int:
    return int(record.id[1:])
