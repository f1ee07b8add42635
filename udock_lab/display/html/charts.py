"""Pictures of an experiment's numbers, drawn from plain data in the colours of the page.

Each says the same in its label as the table that stands beside it says in full: shapes and words, never colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from udock_lab.display.html.figure import figure_svg
from udock_lab.display.markup import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curve", "shares", "staircase"]

_SMALL, _LARGE = 12, 14  # points
_LOOKS = (("white", ""), ("0.8", ".."), ("0.45", "//"))  # shade and hatching of the kinds in a divided bar


def staircase(panels: Mapping[str, Sequence[tuple[float, float, str]]]) -> Markup | None:
    """Draw a bar for each process from its reading to its writing, in milliseconds; a panel for each way."""
    figure, axes = _panels(len(panels), height=3.2)
    latest = max((ended for bars in panels.values() for _, ended, _ in bars), default=1.0)
    for panel, (way, bars) in zip(axes, panels.items(), strict=True):
        for row, (began, ended, label) in enumerate(bars, 1):
            panel.barh(row, ended - began, left=began, color="0.75", edgecolor="black")
            panel.text(ended + latest / 50, row, label, va="center", fontsize=_SMALL)
        panel.set(
            xlabel="milliseconds since the first reading",
            xlim=(0, 1.35 * latest),
            yticks=range(1, max(map(len, panels.values()), default=0) + 1),
        )
        panel.set_title(way, fontsize=_LARGE)
    axes[0].set_ylabel("process")
    said = "; ".join(f"{way}: {', '.join(label for _, _, label in bars)}" for way, bars in panels.items())
    return figure_svg(figure, f"When each process read and wrote. {said}")


def _panels(count: int, height: float) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * max(2, count), height), layout="constrained")
    return figure, list(figure.subplots(1, count, sharey=True, squeeze=False)[0])


def shares(title: str, counts: Mapping[str, Mapping[str, int]], measure: str) -> Markup | None:
    """Draw a bar for each way, divided by what was counted; the kinds differ by hatching."""
    figure, (panel,) = _panels(1, height=0.7 + 0.5 * len(counts))
    for row, seen in enumerate(counts.values()):
        done, total = 0.0, sum(seen.values()) or 1
        for (kind, count), (shade, hatch) in zip(seen.items(), _LOOKS, strict=False):
            share = 100 * count / total
            panel.barh(row, share, left=done, color=shade, hatch=hatch, edgecolor="black", label="" if row else kind)
            done += share
    panel.set(xlabel=measure, xlim=(0, 100), yticks=range(len(counts)), yticklabels=list(counts))
    panel.invert_yaxis()
    panel.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=_SMALL)
    said = "; ".join(
        f"{way}: {', '.join(f'{kind} {count}' for kind, count in seen.items())}" for way, seen in counts.items()
    )
    return figure_svg(figure, f"{title}. {said}")


def curve(
    title: str, points: Sequence[tuple[float, float]], level: tuple[float, str], axes: tuple[str, str, str]
) -> Markup | None:
    """Draw a curve with both axes in powers of ten, and a dashed line at a level; ``axes`` names x, y and the curve."""
    figure, (panel,) = _panels(1, height=4.0)
    x, y, name = axes
    at, said = level
    panel.loglog(*zip(*points, strict=True), "o-", color="tab:blue", linewidth=2.5, markersize=8, label=name)
    panel.axhline(at, color="0.5", linestyle="--", label=said)
    panel.set_title(title, fontsize=_LARGE)
    panel.set_xlabel(x, fontsize=_SMALL)
    panel.set_ylabel(y, fontsize=_SMALL)
    panel.grid(alpha=0.3)
    panel.legend(fontsize=_SMALL)
    each = "; ".join(f"{at_x:,.0f}: {at_y:.3g}" for at_x, at_y in points)
    return figure_svg(figure, f"{title}. {y}, by {x}: {each}. {said}")
