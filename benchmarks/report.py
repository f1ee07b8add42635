"""The table and the verdicts: what was measured, beside what was promised. Nothing here measures."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

__all__ = ["Measured", "table", "verdicts"]

PEERS = ("bubblewrap", "crun", "runc", "podman")


@dataclass
class Measured:
    """Everything one benchmark found out. Times are nanoseconds of one launch, memory is bytes."""

    times: dict[str, list[int]]
    heap: int
    left_out: dict[str, str] = field(default_factory=dict)
    per_second: dict[str, float] = field(default_factory=dict)
    launcher_pss: int = 0
    spare_pss: int = 0

    def median(self, name: str) -> float | None:
        """Median in nanoseconds, None where it was not measured."""
        return statistics.median(self.times[name]) if name in self.times else None


def table(measured: Measured) -> str:
    """One line a row: name, median, 10th and 90th percentile in microseconds, ratio to the floor."""
    floor = statistics.median(measured.times["floor"])
    width = max(map(len, measured.times))
    lines = [f"{'':{width}}  {'median µs':>10}{'p10':>10}{'p90':>10}{'ratio':>8}"]
    for name, times in measured.times.items():
        tenths = statistics.quantiles(times, n=10, method="inclusive")
        middle = statistics.median(times)
        lines.append(
            f"{name:{width}}  {middle / 1e3:10,.0f}{tenths[0] / 1e3:10,.0f}{tenths[-1] / 1e3:10,.0f}"
            f"{middle / floor:8.2f}"
        )
    lines += [f"{name:{width}}  left out: {reason}" for name, reason in measured.left_out.items()]
    return "\n".join(lines)


def verdicts(measured: Measured) -> str:
    """One line a bar: pass, FAIL or not measured, what was found, what was promised."""
    lines = [
        _ratio(measured, "Runtime.run, beside the floor", "run", "floor", 3.0),
        _ratio(measured, "%mdock run, beside the floor", "magic", "floor", 4.0),
        _ratio(
            measured,
            f"heap of {measured.heap / 1e9:.1f} GB, beside none",
            "run, big heap",
            "run, its twin without",
            1.15,
        ),
        _ratio(measured, "10,000 records, beside 1", "run, 10,000 records", "run", 2.0),
        _ratio(measured, "the same, of %mdock run", "magic, 10,000 records", "magic", 2.0),
        *(_ratio(measured, f"Runtime.run, beside {peer}", "run", peer, 1.0) for peer in PEERS),
        _ratio(measured, "mdock process, beside runc", "mdock run process", "runc", 1.0),
    ]
    process = measured.median("mdock run process")
    if process is not None:
        lines.append(_line(process <= 60e6, "mdock process", f"{process / 1e6:.1f} ms", "<= 60 ms"))
    rate = measured.per_second
    if "bubblewrap" in rate:
        found = f"{rate['run']:.0f}/s, {rate['run'] / rate['bubblewrap']:.2f} x"
        passed = rate["run"] >= 2 * rate["bubblewrap"]
        lines.append(_line(passed, "launches a second, beside bubblewrap", found, ">= 2.00 x"))
    else:
        lines.append("not measured  launches a second, beside bubblewrap")
    found = f"{measured.launcher_pss / 1e6:.1f} MB (its spare: {measured.spare_pss / 1e6:.1f} MB)"
    lines.append(_line(measured.launcher_pss < 12e6, "launcher's memory (PSS)", found, "< 12 MB"))
    return "\n".join(lines)


def _ratio(measured: Measured, what: str, name: str, other: str, most: float) -> str:
    ours, theirs = measured.median(name), measured.median(other)
    if ours is None or theirs is None:
        return f"not measured  {what}"
    bound = f"{'<=' if most > 1 else '<'} {most:.2f} x"
    passed = ours <= most * theirs if most > 1 else ours < most * theirs
    return _line(passed, what, f"{ours / theirs:.2f} x", bound)


def _line(passed: bool, what: str, found: str, bound: str) -> str:
    return f"{'pass' if passed else 'FAIL':12}  {what:38}  {found:30}  bar: {bound}"
