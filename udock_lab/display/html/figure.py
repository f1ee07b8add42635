"""A matplotlib figure in the colours of the page it stands on, light or dark."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from udock_lab.display.markup import Markup, card, html, trusted

__all__ = ["figure_html", "figure_svg"]

# Black ink becomes the page's text colour, white paper the page's own. A text that matplotlib leaves black has no fill.
_INK, _PAPER = re.compile(r"#000000\b"), re.compile(r"#ffffff\b")
_NOT_DRAWN = re.compile(r"^.*?(?=<svg )|<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", re.DOTALL)
_SIZE = re.compile(r'width="([\d.]+)pt" height="[\d.]+pt"')
_TOO_LONG = 400_000  # characters
_ROOT = (
    r'style="width:\1pt;max-width:100%;height:auto;display:block" fill="currentColor" stroke-linejoin="round" '
    'role="img" aria-label="{label}"'
)


def figure_html(figure: Any) -> Markup | None:
    """Show a ``matplotlib.figure.Figure`` as a card with :func:`figure_svg` in it; None where there is none."""
    label = _titles(figure)
    drawn = figure_svg(figure, label)
    return card(drawn, label) if drawn is not None else None


def figure_svg(figure: Any, label: str) -> Markup | None:
    """Draw a figure as SVG; its letters stay letters, and ``label`` says in words what it shows.

    None for one of so many points that a browser would be slow with it: there a picture of dots serves better.
    Colours other than black and white stay as they are, so a figure keeps to middle tones for them.
    """
    import matplotlib as mpl

    if not hasattr(figure, "savefig"):  # a SubFigure
        return None
    drawn = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "udock_lab"}):
        figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = " ".join(_NOT_DRAWN.sub("", drawn.getvalue()).split())
    if len(svg) > _TOO_LONG:
        return None
    svg = _SIZE.sub(lambda size: size.expand(_ROOT).replace("{label}", html("{}", label)), svg, count=1)
    return trusted(_PAPER.sub("var(--u-bg)", _INK.sub("currentColor", svg)))


def _titles(figure: Any) -> str:
    return ", ".join(title for axes in getattr(figure, "axes", ()) if (title := axes.get_title())) or "figure"
