"""Draw the rooms of the package and their imports: docs/architecture.svg, and a table in docs/architecture.md.

``draw_architecture.py`` writes both; ``--check`` writes nothing and ends with 1 where one is out of date. The same
imports give the same bytes. In the drawing an arrow that follows from others is left out; the table has them all.

The layout is Sugiyama's, in small: a room's layer is one above the highest room that it imports; an arrow across
several layers gets a place in each; places are ordered, then moved, towards the middle of their neighbours.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from check_imports import FACADE, PACKAGE, ROOT, arrows, rooms

DRAWING = ROOT / "docs" / "architecture.svg"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- the table of rooms begins; scripts/draw_architecture.py writes it -->\n"
END = "<!-- the table of rooms ends -->\n"

# What stands in a box: the colour of its floor, and a few words.
BOXES: dict[str, tuple[str, str]] = {
    "errors": ("ground", "every exception"),
    "text": ("ground", "words, sizes, escaping"),
    "model": ("ground", "frozen values, one codec"),
    "linux": ("kernel", "what the kernel offers"),
    "work": ("ground", "export, import, merge"),
    "wire": ("kernel", "sockets, messages, loop"),
    "isolation": ("kernel", "steps, in one order"),
    "runtime": ("mdock", "what mdock does"),
    "sandbox": ("mdock", "learner code, disposable"),
    "display": ("shown", "results as text, HTML"),
    "commands": ("shown", "each subcommand, once"),
    "cli": ("face", "mdock in a terminal"),
    "notebook": ("face", "%mdock, %%sandbox"),
    "widgets": ("face", "live panels"),
    "lesson": ("face", "predict, order, ticket"),
    "grading": ("face", "judges, scores, nbgrader"),
    "mydock": ("face", "%mydock: their own runtime"),
    "course": ("face", "udock-lab in a terminal"),
    FACADE: ("face", "import udock_lab"),
}
LEFT_OUT = {"version", "__main__"}  # a line each, imported by much or by nothing; the table has them

BOX_WIDTH, BOX_HEIGHT, GAP, LANE, LAYER = 160, 42, 22, 14, 78
MARGIN = 24
SWEEPS = 60

STYLE = """
  svg { --page: #ffffff; --ink: #1f2328; --dim: #59636e; --line: #6e7781; }
  .ground { --fill: #f3f4f6; --edge: #8c959f; } .kernel { --fill: #ddf4ff; --edge: #218bff; }
  .mdock { --fill: #dafbe1; --edge: #2da44e; } .shown { --fill: #fff8c5; --edge: #bf8700; }
  .face { --fill: #fbefff; --edge: #a475f9; }
  @media (prefers-color-scheme: dark) {
    svg { --page: #0d1117; --ink: #f0f6fc; --dim: #b1bac4; --line: #8b949e; }
    .ground { --fill: #21262d; } .kernel { --fill: #0c2d4a; } .mdock { --fill: #12361f; }
    .shown { --fill: #3b2f04; } .face { --fill: #2f1f4a; }
  }
  .page { fill: var(--page); }
  .box rect { fill: var(--fill); stroke: var(--edge); stroke-width: 1.4; }
  .arrow { fill: none; stroke: var(--line); stroke-width: 1.3; }
  .head { fill: var(--line); }
  text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; text-anchor: middle; fill: var(--ink); }
  .name { font-size: 14px; font-weight: 600; } .what { font-size: 11px; fill: var(--dim); }
"""


class Place(NamedTuple):
    """A room in its layer, or where an arrow from one room to another passes through a layer."""

    layer: int
    room: str
    passing: str = ""

    @property
    def width(self) -> int:
        """How much room it takes from left to right, in pixels."""
        return LANE if self.passing else BOX_WIDTH


Graph = Mapping[str, frozenset[str]]


# --- which arrows, which layers


def imported(found: Iterable[tuple[str, str]], names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return what each of these rooms imports of the others."""
    known, found = list(names), list(found)
    return {name: frozenset(there for here, there in found if here == name and there in known) for name in known}


def reduced(graph: Graph) -> dict[str, frozenset[str]]:
    """Return the graph without each arrow that follows from others (its transitive reduction)."""
    below: dict[str, frozenset[str]] = {}

    def reach(name: str) -> frozenset[str]:
        if name not in below:
            below[name] = graph[name].union(*(reach(there) for there in graph[name]))
        return below[name]

    return {
        name: frozenset(there for there in direct if not any(there in reach(other) for other in direct - {there}))
        for name, direct in graph.items()
    }


def layers_of(graph: Graph) -> dict[str, int]:
    """Return each room's layer: 0 for what imports nothing, else one above the highest that it imports."""
    layers: dict[str, int] = {}

    def layer(name: str) -> int:
        if name not in layers:
            layers[name] = 1 + max((layer(there) for there in graph[name]), default=-1)
        return layers[name]

    for name in graph:
        layer(name)
    return layers


# --- the layout


def ways(graph: Graph, layers: Mapping[str, int]) -> list[list[Place]]:
    """Return each arrow as the places that it passes, from the upper room down to the lower one."""
    found = []
    for here, direct in graph.items():
        for there in sorted(direct):
            between = range(layers[here] - 1, layers[there], -1)
            passing = [Place(layer, here, there) for layer in between]
            found.append([Place(layers[here], here), *passing, Place(layers[there], there)])
    return found


def positions(graph: Graph) -> tuple[dict[Place, float], list[list[Place]]]:
    """Return where the middle of each place lies from left to right, in pixels, and the ways of the arrows."""
    layers = layers_of(graph)
    found = ways(graph, layers)
    beside: dict[Place, list[Place]] = {Place(layers[name], name): [] for name in graph}
    for way in found:
        for one, other in pairwise(way):
            beside.setdefault(one, []).append(other)
            beside.setdefault(other, []).append(one)
    rows = [[place for place in beside if place.layer == layer] for layer in range(max(layers.values()) + 1)]
    x = dict.fromkeys(beside, 0.0)
    for row in rows:
        _spread(row, x)
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 else rows[::-1]:
            wanted = {place: _middle([x[other] for other in beside[place]], x[place]) for place in row}
            if sweep < SWEEPS // 2:
                row.sort(key=lambda place: wanted[place])
            x.update(wanted)
            _spread(row, x)
    left = min(x[place] - place.width / 2 for place in x)
    return {place: round(at - left + MARGIN, 1) for place, at in x.items()}, found


def _middle(numbers: list[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _spread(row: list[Place], x: dict[Place, float]) -> None:
    """Move the places of a row apart, in their order, as little as their widths ask for."""
    right, rightmost = dict(x), float("-inf")
    for place in row:
        right[place] = max(x[place], rightmost + place.width / 2)
        rightmost = right[place] + place.width / 2 + GAP
    left, leftmost = dict(x), float("inf")
    for place in reversed(row):
        left[place] = min(x[place], leftmost - place.width / 2)
        leftmost = left[place] - place.width / 2 - GAP
    for place in row:
        x[place] = (right[place] + left[place]) / 2


# --- the drawing and the table


def drawing(package: Path = ROOT / PACKAGE) -> str:
    """Return the whole SVG; raise KeyError for a room that has no words in ``BOXES``."""
    graph = reduced(imported(arrows(package), [name for name in rooms(package) if name not in LEFT_OUT]))
    x, found = positions(graph)
    width = round(max(at + place.width / 2 for place, at in x.items()) + MARGIN)
    top = max(place.layer for place in x)
    height = 2 * MARGIN + top * LAYER + BOX_HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="title">',
        '<title id="title">The rooms of udock_lab, in layers; each arrow leads to a room that is imported</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}" rx="8"/>',
        *(_arrow(way, x, top) for way in found),
        *(_box(place, at, top) for place, at in x.items() if not place.passing),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _above(layer: int, top: int) -> int:
    """Return where a layer's boxes begin, from the top, in pixels."""
    return MARGIN + (top - layer) * LAYER


def _box(place: Place, at: float, top: int) -> str:
    floor, words = BOXES[place.room]
    name, y = "udock_lab" if place.room == FACADE else place.room, _above(place.layer, top)
    return (
        f'<g class="box {floor}"><rect x="{at - BOX_WIDTH / 2:.1f}" y="{y}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="6"/><text class="name" x="{at}" y="{y + 18}">{escape(name)}</text>'
        f'<text class="what" x="{at}" y="{y + 33}">{escape(words)}</text></g>'
    )


def _arrow(way: list[Place], x: Mapping[Place, float], top: int) -> str:
    """Draw one way: straight down past each layer, and a curve from one layer to the next."""
    at, y = x[way[0]], _above(way[0].layer, top) + BOX_HEIGHT
    path = [f"M{at} {y}"]
    for place in way[1:]:
        below, bend = _above(place.layer, top), (LAYER - BOX_HEIGHT) / 2
        end = below if place.passing else below - 6
        path.append(f"C{at} {y + bend:.0f} {x[place]} {below - bend:.0f} {x[place]} {end}")
        at, y = x[place], below + BOX_HEIGHT
        if place.passing:
            path.append(f"V{y}")
    tip = f"M{at - 4:.1f} {below - 8}h8l-4 8z"
    return f'<path class="arrow" d="{"".join(path)}"/><path class="head" d="{tip}"/>'


def table() -> str:
    """Return the rooms from the top down: what each is, and what it imports."""
    known, found = rooms(), arrows()
    lines = ["| room | what it is | imports |", "|---|---|---|"]
    for name in reversed(known):
        below = [there for there in reversed(known) if (name, there) in found]
        lines.append(f"| {_link(name)} | {_about(name)} | {', '.join(below) or 'nothing'} |")
    return "\n".join(["", *lines, "", ""])


def _file(name: str) -> Path:
    inside = Path(PACKAGE) if name == FACADE else Path(PACKAGE, name)
    return inside / "__init__.py" if (ROOT / inside).is_dir() else inside.with_suffix(".py")


def _link(name: str) -> str:
    shown = name if name == FACADE else f"`{name}`"
    return f"[{shown}](../{_file(name)})"


def _about(name: str) -> str:
    """Return the first line of the room's own docstring, as Markdown."""
    said = ast.get_docstring(ast.parse((ROOT / _file(name)).read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("``", "`").replace("|", r"\|")


def page(text: str) -> str:
    """Return the page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def made() -> Iterator[tuple[Path, str]]:
    """Yield each file and what should stand in it."""
    yield DRAWING, drawing()
    yield PAGE, page(PAGE.read_text(encoding="utf-8"))


def main() -> int:
    """Write both files, or with ``--check`` name those that are out of date; 1 if there are any."""
    stale = [(path, text) for path, text in made() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if sys.argv[1:] == ["--check"]:
        for path, _ in stale:
            print(f"{path.relative_to(ROOT)} is not what the imports say: run scripts/draw_architecture.py")
        return bool(stale)
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
