"""The table and the goals: what was measured, beside what was promised. Nothing here measures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "BEFORE",
    "FLOOR",
    "GOALS",
    "LAUNCHER",
    "PYTHON",
    "TODAY",
    "Goal",
    "Measured",
    "by_version",
    "table",
    "verdicts",
]

FLOOR, PYTHON = "floor", "python3 -c pass"  # rows that others are multiples of
TODAY, BEFORE = "today: ", "earlier: "  # begin the name of a row that both versions have
LAUNCHER, LIGHT = "launcher's memory (PSS)", 12e6  # bytes
NOT_OURS = ("an empty cell", "a cell that shows 1")  # IPython's; should the ratio not be 1, the two are not comparable
LIKE_BEFORE = 1.05  # what is not to get slower may look so by chance


@dataclass(frozen=True)
class Goal:
    """``row`` takes at most ``most`` times as long as ``peer``; without a peer, at most so many milliseconds.

    ``peer`` is another row, or "earlier": the earlier version's figure of the same row.
    """

    row: str
    peer: str
    most: float
    shown: str = ""

    @property
    def what(self) -> str:
        return f"{self.shown or self.row}{f', beside {self.peer}' if self.peer else ''}"


GOALS = (
    Goal("Runtime.run", "earlier", 0.85),
    Goal("Runtime.run", FLOOR, 4.0),
    *(Goal("Runtime.run", peer, 1.0) for peer in ("bubblewrap", "crun", "runc", "podman")),
    Goal("%mdock run", "earlier", 0.85),
    Goal("%mdock run", "a cell that shows 1", 2.0, "%mdock run, a whole cell"),
    *(
        Goal("Runtime.run, launches without a pause", f"{peer}, without a pause", 1.0)
        for peer in ("bubblewrap", "crun", "runc")
    ),
    Goal("mdock run, a process", PYTHON, 3.5),
    Goal("mdock run, a process", "runc", 1.0),
    Goal("%%sandbox print(1)", PYTHON, 4.5),
    Goal("run, heap/4", "run, its twin without", 1.15),
    Goal("run, heap", "run, its twin without", 1.15),
    Goal("run, 10,000 records", "Runtime.run", 2.0),
    Goal("%mdock run, 10,000 records", "%mdock run", 2.0),
    Goal("first run after %load_ext", "earlier", LIKE_BEFORE),
)


@dataclass
class Measured:
    """Everything one benchmark found out. Times are nanoseconds of one launch, memory is bytes.

    ``earlier``: the earlier version's times, under the names that its rows have in ``times``. ``names``: how a row is
    called, where its key says too little.
    """

    times: dict[str, list[int]]
    earlier: dict[str, list[int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    earlier_memory: dict[str, int] = field(default_factory=dict)

    def name(self, row: str) -> str:
        """How a row is called."""
        return self.names.get(row, row)

    def median(self, row: str, peer: str = "") -> float | None:
        """Median of a row, or of its peer's, in nanoseconds; None where it was not measured."""
        times = self.earlier.get(row) if peer == "earlier" else self.times.get(peer or row)
        return statistics.median(times) if times else None


def by_version(times: dict[str, list[int]]) -> Measured:
    """Tell the earlier version's rows from today's, and from those that have no version."""
    return Measured(
        {name.removeprefix(TODAY): taken for name, taken in times.items() if not name.startswith(BEFORE)},
        {name.removeprefix(BEFORE): taken for name, taken in times.items() if name.startswith(BEFORE)},
    )


def table(measured: Measured, earlier: str = "earlier", floor: str = FLOOR) -> str:
    """One line a row: median, 10th and 90th percentile in µs; how many floors; the earlier version's median, the ratio.

    ``floor``: the row that stands for 1.
    """
    one, multiples = measured.median(floor), "floors" if floor == FLOOR else "pythons"
    width = max(len(measured.name(row)) for row in measured.times)
    heads = f"{'median µs':>11}{'p10':>10}{'p90':>10}{multiples:>9}"
    lines = [f"{'':{width}}{heads}" + (f"{earlier:>11}{'ratio':>7}" if measured.earlier else "")]
    for row, times in measured.times.items():
        middle, before = statistics.median(times), measured.median(row, "earlier")
        low, high = _tenths(times)
        line = f"{measured.name(row):{width}}{middle / 1e3:11,.0f}{low / 1e3:10,.0f}{high / 1e3:10,.0f}"
        line += f"{middle / one:9.2f}" if one else " " * 9
        if before:
            line += f"{before / 1e3:11,.0f}{middle / before:7.2f}"
        lines.append(line)
    lines += [f"{name:{width}}  left out: {reason}" for name, reason in measured.left_out.items()]
    for what, size in measured.memory.items():
        before = measured.earlier_memory.get(what)
        lines.append(f"{what:{width}}{size / 1e6:8.1f} MB" + (f", {earlier}: {before / 1e6:.1f} MB" if before else ""))
    return "\n".join(lines)


def _tenths(times: Sequence[int]) -> tuple[float, float]:
    """The 10th and the 90th percentile; of a single time, that one."""
    if len(times) < 2:
        return times[0], times[0]
    tenths = statistics.quantiles(times, n=10, method="inclusive")
    return tenths[0], tenths[-1]


def verdicts(measured: Measured, goals: Sequence[Goal] = GOALS) -> str:
    """One line a goal: met, NOT MET or not measured; what was found, what was promised.

    A row of ours that the earlier version has, too, and that has no goal beside it, is not to be slower than that.
    """
    named = {goal.row for goal in goals if goal.peer == "earlier"}.union(NOT_OURS)
    kept = [Goal(row, "earlier", LIKE_BEFORE) for row in measured.earlier if row not in named]
    lines = [_verdict(measured, goal) for goal in (*goals, *kept)]
    if LAUNCHER in measured.memory:
        size = measured.memory[LAUNCHER]
        lines.append(_line(size <= LIGHT, LAUNCHER, f"{size / 1e6:8.1f} MB", f"{LIGHT / 1e6:.1f} MB"))
    met, known = (sum(line.startswith(words) for line in lines) for words in ("met", ("met", "NOT MET")))
    return "\n".join([*lines, f"{met} of {known} goals are met"])


def _verdict(measured: Measured, goal: Goal) -> str:
    what = goal.what.replace(goal.row, measured.name(goal.row), 1)
    ours, theirs = measured.median(goal.row), measured.median(goal.row, goal.peer) if goal.peer else 1e6
    if ours is None or theirs is None:
        return f"{'not measured':14}{what}"
    ratio, unit = ours / theirs, "x" if goal.peer else "ms"
    digits = 2 if goal.peer else 0
    return _line(ratio <= goal.most, what, f"{ratio:8.{digits}f} {unit}", f"{goal.most:.{digits}f} {unit}")


def _line(met: bool, what: str, found: str, most: str) -> str:
    return f"{'met' if met else 'NOT MET':14}{what:74} {found}   goal: <= {most}"
