"""Hygiene of the lessons: shape, size, links, and outputs that tell nothing about a machine.

Ends with 1 and one line for each problem if there is any.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MAX_CELLS, MAX_LINES = 25, 15
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PICTURE = re.compile(r"!\[([^\]]*)\]\(|<img\b([^>]*)>")
LINK = re.compile(r"\]\(([^)#\s]+)|(?:href|src)=[\"']([^\"'#]+)")

Cell = dict[str, Any]


def problems(path: Path) -> list[str]:
    """One sentence for each thing that is wrong with a notebook."""
    cells: list[Cell] = json.loads(path.read_text())["cells"]
    if not cells:
        return ["it is empty"]
    found = [*_shape(cells), *_first(_source(cells[0])), *_headings(cells)]
    for number, cell in enumerate(cells, 1):
        of_cell = _text(cell, path.parent) if cell["cell_type"] == "markdown" else _code(cell)
        found += [f"cell {number}: {what}" for what in of_cell]
    return found


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def _shape(cells: list[Cell]) -> list[str]:
    return [f"{len(cells)} cells, at most {MAX_CELLS}"] if len(cells) > MAX_CELLS else []


def _first(text: str) -> list[str]:
    found = []
    if "After this lesson you can" not in text:
        found.append("the first cell does not say: After this lesson you can ...")
    if not re.search(r"\d+ minutes", text):
        found.append("the first cell does not say how many minutes it takes")
    return found


def _headings(cells: list[Cell]) -> list[str]:
    """A screen reader jumps from heading to heading: one title, and no level left out."""
    levels = [
        len(mark)
        for cell in cells
        if cell["cell_type"] == "markdown"
        for mark in re.findall(r"^(#+) ", FENCED.sub("", _source(cell)), flags=re.MULTILINE)
    ]
    found = [] if levels.count(1) == 1 else [f"{levels.count(1)} headings of the first level, wanted one"]
    return found + [f"heading level skips from {a} to {b}" for a, b in pairwise(levels) if b > a + 1]


def _text(cell: Cell, folder: Path) -> list[str]:
    text = FENCED.sub("", _source(cell))
    found = []
    for written, attributes in PICTURE.findall(text):
        if not written.strip() and not re.search(r"\balt=[\"'][^\"']*\w", attributes):
            found.append("a picture has no alt text")
    for target in ("".join(pair) for pair in LINK.findall(text)):
        if not re.match(r"[a-z]+:", target) and not (folder / target).exists():
            found.append(f"the link {target} leads nowhere")
    return found


def _code(cell: Cell) -> list[str]:
    source, found = _source(cell), []
    lines = source.count("\n") + 1
    if lines > MAX_LINES:
        found.append(f"{lines} lines, at most {MAX_LINES}")
    if source.strip() and cell["execution_count"] is None:
        found.append("was never executed; commit its outputs")
    tags = cell["metadata"].get("tags", [])
    if any(output["output_type"] == "error" for output in cell["outputs"]) and "raises-exception" not in tags:
        found.append("a committed output is an error")
    if private := _private(json.dumps(cell["outputs"], ensure_ascii=False)):
        found.append(f"an output tells where it was made: {private}")
    return found


def _private(outputs: str) -> str | None:
    """A folder of a person, a temporary folder, this checkout or this machine's name."""
    here = [re.escape(f"{place}/") for place in (ROOT, Path.home()) if place != Path("/")]
    host = socket.gethostname()
    names = [rf"\b{re.escape(host)}\b"] if len(host) > 3 and host != "localhost" else []
    match = re.search("|".join([r"/home/\w+", r"/root/", r"/tmp/", r"/Users/\w+", *here, *names]), outputs)
    return match.group() if match else None


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    wrong = [f"{p.name}: {what}" for p in sorted((ROOT / "notebooks").glob("*.ipynb")) for what in problems(p)]
    print("\n".join(wrong) or "notebooks are clean")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
