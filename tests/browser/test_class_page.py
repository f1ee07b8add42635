"""The lecturer's page of a class in a real Chromium: readable without scrolling sideways, and its links lead on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # the class that the unit tests tell of

from notebook_page import ARTEFACTS
from test_display_classroom import CLASS, WORKS

from udock_lab.display.pages.classroom import class_page, learner_page


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_lecturer_goes_from_who_needs_a_look_to_the_report(
    browser: Any, tmp_path: Path, theme: str, width: int
) -> None:
    (tmp_path / "class.html").write_text(class_page(CLASS))
    for learner in {one.learner for one in CLASS}:
        (tmp_path / learner).mkdir()
        own = [one for one in WORKS if one.handed.learner == learner]
        (tmp_path / learner / "report.html").write_text(learner_page(learner, own))
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
    page.goto((tmp_path / "class.html").as_uri())
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=str(ARTEFACTS / f"class-{theme}.png"), full_page=True)
    sideways = page.evaluate(
        "() => [...document.querySelectorAll('html, section')].map(e => e.scrollWidth - e.clientWidth)"
    )
    assert max(sideways) <= 0
    learners = page.locator("table.everybody").last.locator("tbody tr:visible th")
    page.get_by_role("button", name="total").click()
    assert learners.all_inner_texts() == ["none", "odd & even", "part", "full", "half"]
    page.get_by_label("Find a learner").fill("AL")
    assert learners.all_inner_texts() == ["half"]
    page.get_by_label("Find a learner").fill("")
    assert page.locator("table.everybody thead th").first.evaluate("e => getComputedStyle(e).position") == "sticky"
    page.get_by_role("link", name="odd & even").first.click()
    page.get_by_role("heading", name="odd & even").wait_for()
    assert page.get_by_text("Ask for it again.").is_visible()
    page.screenshot(path=str(ARTEFACTS / f"report-{theme}.png"), full_page=True)
    page.close()
