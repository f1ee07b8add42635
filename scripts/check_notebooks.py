"""Hygiene of the lessons: shape, size, links, and outputs that tell nothing about a machine.

Ends with 1 and one line for each problem if there is any. The pages that go with the lessons (``docs/``, README) are
looked through for links that lead nowhere.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

sys.path.insert(0, str(Path(__file__).resolve().parent))

from check_course_shape import course_shape, miscounted
from check_plumbing import in_cells

from udock_lab.lesson.privacy import found_in

ROOT = Path(__file__).resolve().parent.parent
MAX_CELLS, MAX_LINES = 30, 15
LONGEST = 115  # characters of a line that is not folded away
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"`[^`\n]+`")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
PYTHON_FILE = re.compile(r"`([\w/]+\.py)`")
PICTURE = re.compile(r"!\[([^\]]*)\]\(|<img\b([^>]*)>")
LINK = re.compile(r"\]\(([^)\s]+)|(?:href|src)=[\"']([^\"']+)")
ANCHOR = re.compile(r"<a\b[^>]*\b(?:id|name)=[\"']([^\"']+)")
HEADING = re.compile(r"^#+ +(.*?) *#*$", re.MULTILINE)

Cell = dict[str, Any]


def problems(path: Path) -> list[str]:
    """Return one sentence for each thing that is wrong with a notebook."""
    cells: list[Cell] = json.loads(path.read_text())["cells"]
    if not cells:
        return ["it is empty"]
    found = [*_shape(cells), *_first(_source(cells[0])), *_headings(cells)]
    for number, cell in enumerate(cells, 1):
        said = _source(cell)
        of_cell = [*text_problems(said, path), *lost_files(said)] if cell["cell_type"] == "markdown" else _code(cell)
        found += [f"cell {number}: {what}" for what in of_cell]
    return [*found, *in_cells(cells), *course_shape(path, cells)]


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
    """List what is wrong with the headings: a screen reader needs one title, and no level left out."""
    levels = [
        len(mark)
        for cell in cells
        if cell["cell_type"] == "markdown"
        for mark in re.findall(r"^(#+) ", FENCED.sub("", _source(cell)), flags=re.MULTILINE)
    ]
    found = [] if levels.count(1) == 1 else [f"{levels.count(1)} headings of the first level, wanted one"]
    return found + [f"heading level skips from {a} to {b}" for a, b in pairwise(levels) if b > a + 1]


def text_problems(text: str, path: Path) -> list[str]:
    """List pictures without words, and links that lead nowhere, in one text of the file ``path``."""
    text = INLINE_CODE.sub("", FENCED.sub("", text))
    found = []
    for written, attributes in PICTURE.findall(text):
        if not written.strip() and not re.search(r"\balt=[\"'][^\"']*\w", attributes):
            found.append("a picture has no alt text")
    for target in ("".join(pair) for pair in LINK.findall(text)):
        if not re.match(r"[a-z]+:", target) and not leads_somewhere(target, path):
            found.append(f"the link {target} leads nowhere")
    return found


def lost_files(text: str) -> list[str]:
    """List what is quoted as a file of ours and is none: ``udock_lab/runtime/engine.py``, or its name alone."""
    quoted = PYTHON_FILE.findall(text)
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "udock_lab").rglob("*.py")}
    names = {path.rpartition("/")[2] for path in ours}
    return [f"there is no file {name}" for name in quoted if name not in (ours if "/" in name else names)]


def leads_somewhere(target: str, path: Path) -> bool:
    """Return whether the file is there, and the heading in it."""
    name, _, anchor = unquote(target).partition("#")
    there = path.parent / name if name else path
    if not there.exists():
        return False
    return not anchor or there.suffix not in (".ipynb", ".md") or anchor in anchors(there)


def anchors(path: Path) -> set[str]:
    """Return the names that a link may jump to, as JupyterLab makes them of headings (notebooks) or a forge (pages)."""
    if path.suffix == ".md":
        text = FENCED.sub("", path.read_text())
        plain = (re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text))
        return {*plain, *ANCHOR.findall(text)}
    cells = json.loads(path.read_text())["cells"]
    text = "\n\n".join(FENCED.sub("", _source(cell)) for cell in cells if cell["cell_type"] == "markdown")
    shown = (re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading) for heading in HEADING.findall(text))
    return {*(heading.replace(" ", "-") for heading in shown), *ANCHOR.findall(text)}


def _code(cell: Cell) -> list[str]:
    source, found = _source(cell), []
    lines = source.count("\n") + 1
    if lines > MAX_LINES:
        found.append(f"{lines} lines, at most {MAX_LINES}")
    folded = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
    longest = 0 if folded else max(map(len, source.split("\n")))
    if longest > LONGEST:
        found.append(f"a line of {longest} characters, at most {LONGEST}: a cell of 1366 px shows no more")
    printed = max((len(line) for text in _printed(cell) for line in COLOURS.sub("", text).splitlines()), default=0)
    if printed > LONGEST:
        found.append(f"it prints a line of {printed} characters, at most {LONGEST}: JupyterLab breaks it inside a word")
    if source.strip() and cell["execution_count"] is None:
        found.append("was never executed; commit its outputs")
    tags = cell["metadata"].get("tags", [])
    if any(output["output_type"] == "error" for output in cell["outputs"]) and "raises-exception" not in tags:
        found.append("a committed output is an error")
    if any("widget-view+json" in kind for output in cell["outputs"] for kind in output.get("data", {})):
        found.append("a committed output names a widget that is gone; run scripts/execute-notebooks")
    outputs = json.dumps(cell["outputs"], ensure_ascii=False)
    if private := f"{ROOT}/" if f"{ROOT}/" in outputs else found_in(outputs):
        found.append(f"an output tells where it was made: {private}")
    return found


def _printed(cell: Cell) -> list[str]:
    return ["".join(output["text"]) for output in cell["outputs"] if output["output_type"] == "stream"]


def page_problems(path: Path) -> list[str]:
    """List what is wrong with a page of text: the rules for pictures and links."""
    return text_problems(path.read_text(), path)


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    lessons = sorted((ROOT / "notebooks").glob("*.ipynb"))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "notebooks").rglob("*.md")]
    wrong = [f"{path.name}: {what}" for path in lessons for what in problems(path)]
    for path in lessons:
        wrong += [f"{path.name}: {what}" for what in miscounted(path, json.loads(path.read_text())["cells"])]
    wrong += [f"{path.relative_to(ROOT)}: {what}" for path in sorted(pages) for what in page_problems(path)]
    print("\n".join(wrong) or "notebooks are clean")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
