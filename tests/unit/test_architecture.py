"""The pages about the code stay true: the drawing is what the imports say, and what a page names is there."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import draw_architecture as draw  # noqa: E402
from check_imports import arrows, rooms  # noqa: E402

PAGES = sorted((ROOT / "docs").glob("*.md"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FILE = re.compile(r"\b\w+\.py\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def boxes(svg: str) -> list[str]:
    return re.findall(r'<text class="name"[^>]*>([^<]+)<', svg)


def small_house(folder: Path, **files: str) -> Path:
    package = folder / "udock_lab"
    package.mkdir(parents=True)
    for name, text in files.items():
        (package / f"{name}.py").write_text(text)
    return package


def test_drawing_and_table_are_what_the_imports_say() -> None:
    stale = [path.name for path, text in draw.made() if path.read_text() != text]
    assert stale == [], "run scripts/draw_architecture.py"


def test_a_new_import_makes_the_drawing_another_one(tmp_path: Path) -> None:
    files = {"errors": "", "text": "from udock_lab import errors", "model": ""}
    before = draw.drawing(small_house(tmp_path / "before", **files))
    late = "def late():\n    from udock_lab.text import words"
    after = draw.drawing(small_house(tmp_path / "after", **files | {"model": late}))
    assert after.count('class="arrow"') == before.count('class="arrow"') + 1


def test_every_room_has_a_box_but_those_that_are_left_out() -> None:
    drawn = {draw.FACADE if name == "udock_lab" else name for name in boxes(draw.drawing())}
    assert drawn == set(rooms()) - draw.LEFT_OUT


def test_every_import_can_be_followed_along_the_arrows_that_are_drawn() -> None:
    names = [name for name in rooms() if name not in draw.LEFT_OUT]
    graph = draw.imported(arrows(), names)
    drawn = draw.reduced(graph)
    assert sum(map(len, drawn.values())) < sum(map(len, graph.values()))

    def reached(name: str) -> set[str]:
        return set(drawn[name]).union(*(reached(there) for there in drawn[name]))

    assert all(set(direct) <= reached(name) for name, direct in graph.items())


def test_no_box_lies_on_another_and_every_arrow_points_down() -> None:
    svg = draw.drawing()
    places = re.findall(r'<rect x="([\d.]+)" y="(\d+)" width', svg)
    rows: dict[str, list[float]] = {}
    for x, y in places:
        rows.setdefault(y, []).append(float(x))
    for row in rows.values():
        row.sort()
        assert all(right - left >= draw.BOX_WIDTH for left, right in pairwise(row))
    for path in re.findall(r'class="arrow" d="([^"]+)"', svg):
        heights = [float(y) for y in re.findall(r"[ V](\d+)(?=[CV]|$)", path)]
        assert heights == sorted(heights)


def test_the_drawing_can_be_read_in_light_and_dark_without_a_network() -> None:
    svg = (ROOT / "docs/architecture.svg").read_text()
    assert "prefers-color-scheme: dark" in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(re.findall(r"`([\w/.]+/[\w.]+\.(?:py|md|toml|c|ipynb))`", page.read_text()))
    named = {name for name in named if not name.startswith("my_")}  # what a guide has its reader make
    missing = [name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "udock_lab"))]
    assert missing == []


def test_a_front_that_lists_its_files_lists_them_all_and_no_other() -> None:
    for front in sorted((ROOT / "udock_lab").rglob("__init__.py")):
        text = ast.get_docstring(ast.parse(front.read_text())) or ""
        listed = {name for line in re.findall(r"^    +\w+\.py .*", text, re.MULTILINE) for name in FILE.findall(line)}
        if listed:
            there = {path.name for path in front.parent.glob("*.py") if not path.name.startswith("__")}
            if (
                front.parent.name == "isolation"
            ):  # where a new layer is three files, as CONTRIBUTING says, and no fourth
                there &= listed
            assert listed == there, front


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_every_source_file_that_a_lesson_names_is_there_and_defines_what_is_looked_for_in_it(notebook: Path) -> None:
    cells = json.loads(notebook.read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    rooms = "|".join(path.stem for path in (ROOT / "udock_lab").iterdir() if path.suffix in ("", ".py"))
    named = set(re.findall(rf"`((?:udock_lab|{rooms})/[\w/.]+\.py)`", text))
    assert [name for name in named if not (ROOT / name).exists()] == []
    for name, place in re.findall(r"`(\w+)` (?:in |\()(?:both )?`(udock_lab/[\w/.]+\.py)`", text):
        assert re.search(rf"^\s*(def|class) {name}\b", (ROOT / place).read_text(), re.MULTILINE), f"{name} in {place}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            targets = [(page.parent / target).resolve() for target in LINK.findall(page.read_text())]
            waiting += [there for there in targets if there.suffix == ".md" and there.exists()]
    assert set(PAGES) <= reached


def test_the_source_distribution_holds_all_that_the_readme_and_the_pages_lead_to() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["sdist"]
    included = [ROOT / name for name in (*build["only-include"], "README.md", "LICENSE", "pyproject.toml")]
    for page in (ROOT / "README.md", *PAGES):
        for target in LINK.findall(page.read_text()):
            if not re.match(r"[a-z]+:", target):
                there = (page.parent / target).resolve()
                assert any(there == base or base in there.parents for base in included), f"{page.name}: {target}"
