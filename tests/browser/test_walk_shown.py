"""Stepping through a traced program in a real Chromium: slider, keys, blocks; and what stays without a script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # the runs that the unit tests tell of

import pytest
from axe import faults_in
from notebook_page import ARTEFACTS, Lab, run_notebook
from test_display_walk import DOTS, OWN, PIPE

from udock_lab import display

HEAD = '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark">'


def test_slider_keys_and_blocks_walk_through_a_program_also_twice_on_a_page(browser: Any) -> None:
    errors: list[str] = []
    for theme in ("light", "dark"):
        page = browser.new_page(viewport={"width": 1366, "height": 900}, color_scheme=theme)
        page.on("pageerror", lambda error: errors.append(str(error)))
        shown = f"<div id=dots>{display.to_html(DOTS)!s}</div><div id=pipe>{display.to_html(PIPE)!s}</div>"
        shown += f"<div id=own>{display.to_html(OWN)!s}</div>"
        page.set_content(HEAD + shown)
        _keys_move_line_block_and_panels(page)
        _a_block_that_is_chosen_lights_its_line(page)
        _a_function_of_a_cell_is_there_while_somebody_is_in_it(page)
        page.locator(".walk summary").first.click()
        assert faults_in(page, ".walk") == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        nested = "e => getComputedStyle(e).overflowY == 'auto' && e.scrollHeight > e.clientHeight + 1"
        assert not page.locator(".walk *").evaluate_all(f"all => all.filter({nested}).length")
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=str(ARTEFACTS / f"walk-{theme}.png"), full_page=True)
        page.close()
    assert errors == []


def _keys_move_line_block_and_panels(page: Any) -> None:
    walk = page.locator("#dots .walk")
    slider, said = walk.locator("input"), walk.locator("output")
    assert said.inner_text().startswith("1 of 6 · parent, line 2: print")
    assert walk.locator(".source .lit").inner_text().startswith('print(".", end="")')
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert "line 3: fork() = child 1" in said.inner_text()
    assert slider.get_attribute("aria-valuetext") == "parent, line 3: fork() = child 1"
    assert walk.locator(".lives section").count() == 2
    assert "copy of what stdout has not written" in walk.locator(".why").inner_text()
    assert "fork()" in page.locator("#dots .call.lit").inner_text()
    assert not page.locator("#pipe .call.lit").count() or "pipe()" in page.locator("#pipe .call.lit").inner_text()
    page.keyboard.press("End")
    assert walk.locator(".on").is_disabled()
    walk.locator(".back").click()
    assert said.inner_text().startswith("5 of 6")


def _a_block_that_is_chosen_lights_its_line(page: Any) -> None:
    page.locator("#pipe .call", has_text="pipe()").focus()
    assert page.locator("#pipe .source .lit").inner_text().startswith("r, w = os.pipe()")
    page.locator("#pipe .call", has_text="read(3)").click()
    assert "held open by itself" in page.locator("#pipe .why").inner_text()


def _a_function_of_a_cell_is_there_while_somebody_is_in_it(page: Any) -> None:
    walk = page.locator("#own .walk")
    own, lit = walk.locator(".own"), walk.locator(".source .lit")
    assert lit.evaluate_all("all => all.map(one => one.value)") == [4]
    assert lit.inner_text().strip() == "pid = os.fork() parent, child 1"
    page.locator("#own .call", has_text="waitpid(").first.click()
    assert lit.evaluate_all("all => all.map(one => one.value)") == [6]
    walk.locator("input").press("End")
    assert not own.is_visible()
    assert lit.count() == 0


def test_without_scripts_nothing_is_dead_and_the_stops_can_be_read(browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(HEAD + str(display.to_html(PIPE)))
    assert not page.locator(".walk input").is_visible()
    page.locator(".walk summary").click()
    assert page.locator(".stops li").last.is_visible()
    context.close()


SHARED = """%%sandbox --trace
import os
fd = os.open("f", os.O_RDWR | os.O_CREAT)
pid = os.fork()
if pid == 0:
    os.write(fd, b"child")
    os._exit(0)
os.waitpid(pid, 0)
os.write(fd, b"parent")
"""


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_in_jupyterlab_the_arrow_keys_walk_and_do_not_leave_the_cell(lab: Lab, lab_page: Any, theme: str) -> None:
    cells = ("%load_ext udock_lab", SHARED, "1 + 1")
    shown = run_notebook(lab_page, lab.put(f"walk-{theme}.ipynb", *cells), theme)
    walk = shown.page.locator(".walk.live")
    slider, said = walk.locator("input"), walk.locator("output")
    slider.focus()
    for _ in range(12):
        if "write(3" in said.inner_text():
            break
        shown.page.keyboard.press("ArrowRight")
    assert 'child 1, line 5: write(3, "child") = 5' in said.inner_text()
    assert "offset 5" in walk.locator(".lives").inner_text()
    assert walk.locator(".lives .shared").count() == 2
    shown.page.keyboard.press("ArrowLeft")
    assert "write" not in said.inner_text()
    assert slider.evaluate("s => document.activeElement === s")
    assert walk.evaluate("w => w.scrollWidth - w.clientWidth") <= 0
    shown.photograph(f"walk-in-lab-{theme}", walk)
    shown.assert_clean()
    shown.close()
