"""``kill_repeatedly``, ``read_beside`` and ``write_and_delete``: what is left of a table, and what reaches the disk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from udock_lab.display.html.charts import shares
from udock_lab.lesson.experiments.finding import Finding
from udock_lab.lesson.experiments.programs import counting, rewriting
from udock_lab.lesson.experiments.running import chosen, play

__all__ = ["Looks", "Sent", "kill_repeatedly", "read_beside", "write_and_delete"]


class Looks(Finding):
    """How often a table was found whole, empty and torn: ``seen["rename"]["torn"]``."""

    def __init__(self, headline: str, seen: Mapping[str, Mapping[str, int]], call: str) -> None:
        self.seen = seen
        rows = [(way, *(looks[state] for state in rewriting.STATES)) for way, looks in seen.items()]
        picture = partial(shares, headline, seen, "share of looks at the table (%)")
        head = ("WAY", *(state.upper() for state in rewriting.STATES))
        super().__init__(headline, head, rows, call=call, program=rewriting, picture=picture)

    @property
    def always_whole(self) -> str:
        """The ways that left a whole table each time: ``in place and rename``."""
        return " and ".join(way for way, looks in self.seen.items() if looks["whole"] == sum(looks.values()))


def kill_repeatedly(*ways: str, times: int) -> Looks:
    """Rewrite and kill, so many times for each way."""
    chose = chosen(ways, rewriting.WAYS, "kill_repeatedly")
    seen = {way: play(rewriting, f"kill_repeatedly({way!r}, {times})") for way in chose}
    return Looks(f"The table after each of {times} kills", seen, "kill_repeatedly")


def read_beside(*ways: str, seconds: float) -> Looks:
    """Rewrite, and read all the time, for so many seconds each way."""
    chose = chosen(ways, rewriting.WAYS, "read_beside")
    seen = {way: play(rewriting, f"read_beside({way!r}, {seconds})") for way in chose}
    return Looks(f"The table as a reader finds it, for {seconds:g} s each", seen, "read_beside")


class Sent(Finding):
    """Of a file that was deleted at once: what could be read, and what was ``sent`` to the disk, in bytes."""

    def __init__(self, found: Mapping[str, list[int]]) -> None:
        self.sent = {way: sent for way, (_, sent) in found.items()}
        rows = [(way, f"{readable:,}", _bytes(sent)) for way, (readable, sent) in found.items()]
        headline, head = "A file is written, closed, and deleted", ("WAY", "BYTES READABLE", "BYTES SENT TO THE DISK")
        super().__init__(headline, head, rows, call="write_and_delete", program=counting)


def _bytes(sent: int) -> str:
    return {-1: "none: this folder is in memory", -2: "this kernel does not count"}.get(sent, f"{sent:,}")


def write_and_delete(*ways: str) -> Sent:
    """Write a file and delete it, once for each way."""
    chose = chosen(ways, counting.WAYS, "write_and_delete")
    return Sent({way: play(counting, f"write_and_delete({way!r})") for way in chose})
