"""Hygiene of the lessons: shape, size, links, and outputs that tell nothing about a machine."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRIVATE = re.compile(r"/home/\w+|/root/|/tmp/|/work/")
MAX_CELLS, MAX_LINES = 25, 15


def problems(path: Path) -> list[str]:
    """One sentence for each thing that is wrong with a notebook."""
    cells = json.loads(path.read_text())["cells"]
    found = _shape(cells) + _headings(cells) + _links(cells, path.parent)
    for number, cell in enumerate(cells, 1):
        found += [f"cell {number}: {what}" for what in _outputs(cell)]
    return found


def _source(cell: dict) -> str:
    return "".join(cell["source"])


def _shape(cells: list[dict]) -> list[str]:
    found = []
    if len(cells) > MAX_CELLS:
        found.append(f"{len(cells)} cells, at most {MAX_CELLS}")
    for number, cell in enumerate(cells, 1):
        lines = _source(cell).count("\n") + 1
        if cell["cell_type"] == "code" and lines > MAX_LINES:
            found.append(f"cell {number}: {lines} lines, at most {MAX_LINES}")
    first = _source(cells[0]) if cells else ""
    if "After this lesson you can" not in first:
        found.append("the first cell does not say: After this lesson you can ...")
    if not re.search(r"\d+ minutes", first):
        found.append("the first cell does not say how many minutes it takes")
    return found


def _headings(cells: list[dict]) -> list[str]:
    found, levels = [], []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"```.*?```", "", _source(cell), flags=re.DOTALL)
            levels += [len(mark) for mark in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]
            if re.search(r"!\[\s*\]\(", text) or re.search(r"<img(?![^>]*\balt=)", text):
                found.append("a picture has no alt text")
    if levels.count(1) != 1:
        found.append(f"{levels.count(1)} headings of the first level, wanted one")
    found += [f"heading level skips from {a} to {b}" for a, b in pairwise(levels) if b > a + 1]
    return found


def _links(cells: list[dict], folder: Path) -> list[str]:
    found = []
    for cell in cells:
        if cell["cell_type"] != "markdown":
            continue
        for target in re.findall(r"\]\(([^)#\s]+)", _source(cell)):
            if "://" not in target and not (folder / target).exists():
                found.append(f"the link {target} leads nowhere")
    return found


def _outputs(cell: dict) -> list[str]:
    if cell["cell_type"] != "code":
        return []
    found = []
    text = json.dumps(cell["outputs"])
    if PRIVATE.search(text):
        found.append(f"an output holds a path of a machine: {PRIVATE.search(text).group()}")
    tags = cell["metadata"].get("tags", [])
    if any(output["output_type"] == "error" for output in cell["outputs"]) and "raises-exception" not in tags:
        found.append("a committed output is an error")
    if cell["execution_count"] is None and _source(cell).strip():
        found.append("was never executed; commit its outputs")
    return found


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    wrong = [f"{p.name}: {what}" for p in sorted((ROOT / "notebooks").glob("*.ipynb")) for what in problems(p)]
    print("\n".join(wrong) or "notebooks are clean")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
