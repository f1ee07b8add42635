"""``lesson.race``: processes that take ids at once, with and without a lock."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

from udock_lab.display.html.charts import staircase
from udock_lab.lesson.experiments.finding import Finding
from udock_lab.lesson.experiments.programs import racing
from udock_lab.lesson.experiments.running import chosen, play

__all__ = ["Race", "race"]

FEW, WIDE, NARROW = 10, 0.1, 0.005  # up to so many processes are drawn; seconds of the window between read and write


class Taken(NamedTuple):
    """An id, and when the process that took it read the table and had written it, in seconds."""

    number: int
    began: float
    ended: float


class Race(Finding):
    """What the processes took; ``different`` says for each way how many different ids that were."""

    def __init__(self, processes: int, taken: dict[str, list[Taken]], kept: dict[str, int]) -> None:
        self.taken = taken
        self.kept = kept  # for each way: how many lines the table has
        self.different = {way: len({one.number for one in each}) for way, each in taken.items()}
        few = processes <= FEW
        head = ["WAY", "PROCESSES", "DIFFERENT IDS", "LINES IN THE TABLE", *["TAKEN"] * few]
        rows = [
            (way, processes, self.different[way], kept[way], *[self.ids(way)] * few)
            for way in taken
        ]  # fmt: skip
        headline = f"{processes} processes take an id each, at once"
        picture = partial(staircase, {way: self._bars(way) for way in taken}) if few else None
        super().__init__(headline, head, rows, call="race", program=racing, picture=picture)

    def ids(self, way: str) -> str:
        """Return the ids that were taken, in the order of writing."""
        return " ".join(f"c{one.number}" for one in sorted(self.taken[way], key=lambda one: one.ended))

    def _bars(self, way: str) -> list[tuple[float, float, str]]:
        """Return for each process: milliseconds to its reading and to its writing, and what it took."""
        first = min(one.began for one in self.taken[way])
        ordered = sorted(self.taken[way], key=lambda one: one.began)
        return [(1000 * (one.began - first), 1000 * (one.ended - first), f"takes c{one.number}") for one in ordered]


def race(*ways: str, processes: int = 200) -> Race:
    """Run a race for each way; all of them where none is named."""
    taken, kept = {}, {}
    for way in chosen(ways, racing.WAYS, "race"):
        window = WIDE if processes <= FEW else NARROW
        found = play(racing, f"race({way!r}, {processes}, {window})")
        taken[way], kept[way] = [Taken(*one) for one in found["taken"]], int(found["kept"])
    return Race(processes, taken, kept)
