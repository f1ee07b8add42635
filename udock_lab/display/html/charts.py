"""Pictures of an experiment's numbers, drawn from plain data in the colours of the page.

Each says the same in its label as the table that stands beside it says in full: shapes and words, never colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from udock_lab.display.html.figure import figure_html
from udock_lab.display.markup import Markup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["staircase"]

_SMALL, _LARGE = 12, 14  # points


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
    return figure_html(figure, f"When each process read and wrote. {said}")


def _panels(count: int, height: float) -> tuple[Figure, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * max(2, count), height), layout="constrained")
    return figure, list(figure.subplots(1, count, sharey=True, squeeze=False)[0])
