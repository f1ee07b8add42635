"""The static pictures in a real Chromium without JupyterLab, as on a published page: geometry, focus, both themes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # the runs that the unit tests tell of

from notebook_page import ARTEFACTS
from test_display_snapshots import RUN
from test_display_timeline import STORY, crowd
from test_display_tree import TREE

from udock_lab.display import pictures

SHOWN = {
    "trace": pictures.timeline(STORY),
    "run": pictures.timeline(RUN),
    "many": pictures.timeline(crowd(12, 20)),
    "sixty": pictures.timeline(crowd(60, 30)),
    "changes": pictures.before_and_after(RUN),
    "status": pictures.wait_status(139),
    "tree": pictures.process_tree(TREE),
    "record": pictures.record(RUN),
}


PAGES = [  # each theme and each width in every run, all pairs in `make soak`
    ("light", 1400),
    ("dark", 700),
    pytest.param(("dark", 1400), marks=pytest.mark.soak),
    pytest.param(("light", 700), marks=pytest.mark.soak),
]


@pytest.fixture(params=PAGES, ids=lambda page: f"{page[0]}-{page[1]}")
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    theme, width = request.param
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    sections = "".join(f'<div id="{name}">{picture.html}</div>' for name, picture in SHOWN.items())
    page.set_content(f'<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">{sections}')
    yield page
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"pictures-{theme}-{width}.png"), full_page=True)
    page.close()


def boxes(page: Any, selector: str) -> list[dict[str, float]]:
    return [element.bounding_box() for element in page.locator(selector).all()]


def test_pictures_stand_as_they_should_in_either_theme_at_either_width(page: Any) -> None:
    for name in SHOWN:
        wide = page.locator(f"#{name} section").evaluate("s => s.scrollWidth - s.clientWidth")
        assert wide <= 0, f"{name} has to be scrolled sideways"
    _blocks_do_not_overlap(page)
    _arrows_meet_the_lines(page)
    _focus_shows_what_the_call_is(page)


def _blocks_do_not_overlap(page: Any) -> None:
    for name in ("trace", "run", "many", "sixty"):
        rows = boxes(page, f"#{name} .call")
        for above, below in pairwise(rows):
            assert below["y"] >= above["y"] + above["height"]


def _arrows_meet_the_lines(page: Any) -> None:
    """A fork's arrow ends at the line of the child, which begins there."""
    child = [box for box in boxes(page, "#trace .life") if box["x"] > 200]
    arrow = boxes(page, "#trace .arrow.fork")[0]
    middle = child[0]["x"] + child[0]["width"] / 2
    assert abs(arrow["x"] + arrow["width"] - middle) <= 4
    assert abs(child[0]["y"] - arrow["y"]) <= 4
    for name in ("many", "sixty"):
        lines = sorted({box["x"] + box["width"] / 2 for box in boxes(page, f"#{name} .lanes .life")})
        for line, fork in zip(lines[1:], boxes(page, f"#{name} .arrow.fork"), strict=True):
            assert abs(fork["x"] + fork["width"] - line) <= 4


def _focus_shows_what_the_call_is(page: Any) -> None:
    for name in ("trace", "run", "many"):
        for number in (0, -1):
            block = page.locator(f"#{name} .call:has(.more)").nth(number)
            more = block.locator(".more")
            assert more.bounding_box()["width"] <= 2
            block.focus()
            shown, frame = more.bounding_box(), page.locator(f"#{name} section").bounding_box()
            assert shown["width"] > 100
            assert shown["x"] >= frame["x"] - 1
            assert shown["y"] >= frame["y"]
            assert shown["y"] + shown["height"] <= frame["y"] + frame["height"]
            block.blur()
