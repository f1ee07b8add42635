"""Every card, panel and picture as it is seen: by axe-core (WCAG 2.2, A and AA), and measured in a window of 1366 px.

One notebook with every part is run once, in JupyterLab as ``udock-lab start`` sets it. What it shows is looked at there
in both themes, and in the static HTML that nbconvert makes of it, with the variables of a theme and without.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe import faults_in
from every_part import EVERY_PART
from nbconvert import HTMLExporter
from notebook_page import Lab, NotebookPage, notebook, run_notebook

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # the class that the unit tests tell of
from test_display_classroom import CLASS, WORKS

from udock_lab.display.pages.classroom import class_page, learner_page

LESSONS = sorted(path.name for path in (Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
THEMES = ("light", "dark")
VIEW = "application/vnd.jupyter.widget-view+json"
OURS = (".udock", ".jp-RenderedText:not(:has(a)) > pre", ".jp-OutputArea-output:not(:has(a)) > pre")  # no found links
FIRST_RUN = 1  # its cell
USUAL = {"width": 1366, "height": 900}
TALL = {"width": 1366, "height": 14_000}  # all cells are in sight, so all are drawn
SIDEWAYS = """() => [...document.querySelectorAll('.jp-OutputArea-output, .jp-OutputArea-output *, .cm-scroller')]
    .filter(node => ['auto', 'scroll'].includes(getComputedStyle(node).overflowX) && node.scrollWidth > node.clientWidth + 1)
    .map(node => `${node.className || node.nodeName}: ${node.scrollWidth} in ${node.clientWidth}, ${node.innerText.slice(0, 60)}`)"""
BROKEN = """() => { const found = [];
    for (const part of document.querySelectorAll('.udock, .jp-RenderedMarkdown table')) {
        const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode())
            for (const word of text.parentElement.closest('style, .more, .unseen') ? [] : text.data.matchAll(/[\\p{L}\\p{N}_]{2,}/gu)) {
                const range = document.createRange();
                range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
                const lines = new Set([...range.getClientRects()].filter(box => box.width > 1).map(box => Math.round(box.top)));
                if (lines.size > 1) found.push(`${word[0]} in ${text.parentElement.nodeName}: ${text.data.slice(0, 60)}`);
            }
    } return found; }"""
EDGES = """() => [...document.querySelectorAll('section.udock, form.udock')].filter(node => !node.parentElement.closest('.udock'))
    .map(node => node.getBoundingClientRect()).filter(box => box.width).map(box => [Math.round(box.left), Math.round(box.right)].join('-'))"""
LABELS = """selector => [...document.querySelectorAll(selector)].map(label => {
    const canvas = document.createElement('canvas').getContext('2d'); canvas.font = getComputedStyle(label).font;
    let shown = label.textContent;
    if (label.scrollWidth > label.clientWidth + 1)
        while (shown && canvas.measureText(shown + '…').width > label.clientWidth) shown = shown.slice(0, -1);
    return shown; })"""
OPEN_AS_TEXT = """path => { window.jupyterapp.commands.execute('docmanager:open',
    {path, factory: 'Editor', options: {activate: false}}); }"""
CLOSE_TEXTS = """() => { for (const one of [...window.jupyterapp.shell.widgets('main')])
    if (one.context?.path.endsWith('.ipynb') && !one.context.sessionContext.session) one.dispose(); }"""
SET_THEME = """async name => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme: name}); }"""


@pytest.fixture(scope="module")
def shown(lab: Lab, lab_page: Any) -> Iterator[NotebookPage]:
    """Every part in JupyterLab, run, the side bar open as it is at first."""
    before = lab_page.viewport_size
    lab_page.evaluate("() => window.jupyterapp.shell.expandLeft()")
    try:
        shown = run_notebook(lab_page, lab.put("every_part.ipynb", *EVERY_PART))
        lab_page.set_viewport_size(TALL)
        lab_page.wait_for_function("n => document.querySelectorAll('form.panel > *').length >= n", arg=8, polling=100)
        yield shown
        shown.close()
    finally:  # the page is everybody's: nobody after us gets it as large
        lab_page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        lab_page.set_viewport_size(before)
        lab_page.emulate_media(color_scheme=None)


def test_every_part_is_there_and_each_cell_did_as_it_should(shown: NotebookPage) -> None:
    assert shown.not_run == []
    assert [words for words in shown.errors if "a fault of its own" not in words] == []
    assert shown.complaints == []


@pytest.mark.parametrize(("theme", "prefers"), [("light", "dark"), ("dark", "light")])
def test_every_part_passes_axe_in_jupyterlab(shown: NotebookPage, theme: str, prefers: str) -> None:
    """The reader's system says the opposite of the theme, which must not matter."""
    shown.page.emulate_media(color_scheme=prefers)
    shown.page.evaluate(SET_THEME, f"JupyterLab {theme.title()}")
    shown.page.wait_for_function(
        "name => document.body.dataset.jpThemeName === name", arg=f"JupyterLab {theme.title()}"
    )
    shown.page.wait_for_timeout(300)  # colours are on their way
    shown.photograph(f"every-part-{theme}")
    assert faults_in(shown.page, *OURS) == []


def test_no_word_is_broken_and_nothing_is_scrolled_sideways_at_1366_pixels(shown: NotebookPage) -> None:
    assert shown.page.evaluate(BROKEN) == []
    assert shown.page.evaluate(SIDEWAYS) == []


def test_panels_and_cards_have_the_same_edges(shown: NotebookPage) -> None:
    assert len(set(shown.page.evaluate(EDGES))) == 1


def test_the_first_containers_card_comes_folded_to_its_result_and_unfolds_by_mouse_and_key(shown: NotebookPage) -> None:
    page = shown.page
    card = page.locator(".jp-Cell").nth(FIRST_RUN).locator("section.udock")
    assert card.bounding_box()["height"] < 320
    assert card.locator(".verdict", has_text="exited with code 0").is_visible()
    calls = card.locator("details", has_text="Parent and child, call by call")
    page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.scrollToItem(0); }")
    calls.locator("summary").click()
    assert calls.locator(".lanes").is_visible()
    calls.locator("summary").press("Enter")
    assert not calls.locator(".lanes").is_visible()
    others = page.locator("section.udock", has_text="exited with code 42").first
    assert others.locator(".lanes").is_visible()  # in the lessons the pictures are what it is about


def test_lessons_can_be_told_apart_in_side_bar_and_tabs(shown: NotebookPage) -> None:
    page = shown.page
    page.set_viewport_size(USUAL)
    page.wait_for_timeout(300)
    names = page.evaluate(LABELS, ".jp-DirListing-itemText")
    assert [
        name.removesuffix(".ipynb") for name in LESSONS if not any(name[:-6] == said[: len(name) - 6] for said in names)
    ] == []
    for name in LESSONS[:5]:  # as text, which needs no kernel; the tab's words are the same
        page.evaluate(OPEN_AS_TEXT, name)
    page.wait_for_function("n => document.querySelectorAll('#jp-main-dock-panel .lm-TabBar-tab').length > n", arg=5)
    tabs = page.evaluate(LABELS, "#jp-main-dock-panel .lm-TabBar-tabLabel")
    shown.photograph("names")
    page.evaluate(CLOSE_TEXTS)
    assert len(set(tabs)) == len(tabs), tabs


@pytest.fixture(scope="module")
def published(shown: NotebookPage) -> Any:
    """The notebook as it was run, its widgets gone."""
    made = nbformat.from_dict(notebook(*EVERY_PART))
    for cell, ran in zip(made.cells, shown.cells, strict=True):
        cell.outputs = nbformat.from_dict([out for out in ran["outputs"] if set(out.get("data", {})) != {VIEW}])
    return made


# With the variables of a theme, which in light are JupyterLab's, and with none.
@pytest.mark.parametrize(("template", "theme"), [("lab", "dark"), ("basic", "light"), ("basic", "dark")])
def test_every_part_passes_axe_in_static_html(browser: Any, published: Any, template: str, theme: str) -> None:
    body, _ = HTMLExporter(template_name=template, theme=theme).from_notebook_node(published)
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>A</title>'
    _passes(browser, body if template == "lab" else head + body, theme)


@pytest.mark.parametrize("theme", THEMES)
def test_the_lecturers_pages_pass_axe(browser: Any, theme: str) -> None:
    _passes(browser, class_page(CLASS), theme, "html")
    learner = CLASS[0].learner
    _passes(browser, learner_page(learner, [one for one in WORKS if one.handed.learner == learner]), theme, "html")


def _passes(browser: Any, whole: str, theme: str, *parts: str) -> None:
    page = browser.new_page(viewport=USUAL, color_scheme=theme)
    page.route("http**/*", lambda route: route.abort())  # what nbconvert's pages would fetch
    page.set_content(whole, wait_until="domcontentloaded")
    try:
        assert faults_in(page, *(parts or OURS)) == []
    finally:
        page.close()
