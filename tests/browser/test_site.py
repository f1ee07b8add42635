"""``make site``: the lessons as pages, in a real Chromium that may reach nothing but them."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from axe import faults_in
from notebook_page import ARTEFACTS

from udock_lab.lesson.outline import COURSE, EXERCISES

ROOT = Path(__file__).resolve().parents[2]
NAME = "school/containers"
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "object": "data",
    "video": "src",
    "audio": "src",
}
IN_CSS = re.compile(r"""url\(\s*["']?(?!data:|#)([^"')]+)|@import\s+["']([^"']+)""")
LESSON = "notebooks/m2_1a_fork.html"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built as `make site` builds it: -W, so that a warning is a failure."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, ROOT / "scripts" / "make_site.py", "--out", out, "--repository", NAME]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-3000:]
    return out / "html"


class Quiet(SimpleHTTPRequestHandler):
    """Hand out files, and write no log."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def address(made: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(made)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A page that reaches the site alone. What it asked for elsewhere, and what it said in anger, fails the test."""
    page = browser.new_page(viewport={"width": 1366, "height": 900}, color_scheme="light", base_url=address)
    page.set_default_timeout(120_000)  # of a busy machine
    asked: list[str] = []

    def only_the_site(route: Any) -> None:
        if route.request.url.startswith(f"{address}/"):
            route.continue_()
        else:
            asked.append(route.request.url)
            route.abort()

    page.route(lambda url: not url.startswith(("data:", "blob:")), only_the_site)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert (asked, complaints) == ([], [])


class Named(HTMLParser):
    """What a page loads, where its links lead, and the names of its places."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.places |= {has["id"]} if "id" in has else set()
        if tag == "a" and "href" in has:
            self.leads.append(has["href"])
        elif tag == "link" and has.get("rel") not in ("next", "prev", "index", "search"):
            self.loads.append(has["href"])
        elif has.get(LOADS.get(tag, "")):
            self.loads.append(has[LOADS[tag]])
        self.loads += [one.split()[0] for one in has.get("srcset", "").split(",") if one.split()]
        self.loads += _in_css(has.get("style", ""))


def _in_css(text: str) -> list[str]:
    return [found[0] or found[1] for found in IN_CSS.findall(text)]


@pytest.fixture(scope="session")
def pages(made: Path) -> dict[Path, Named]:
    return {path: Named(path.read_text()) for path in made.rglob("*.html") if "_static" not in path.parts}


def test_whatever_a_page_or_a_style_sheet_loads_lies_in_the_site(made: Path, pages: dict[Path, Named]) -> None:
    styles = {path: _in_css(path.read_text()) for path in made.rglob("*.css")}
    in_pages = {
        path: named.loads
        + [one for style in re.findall(r"<style>.*?</style>", path.read_text(), re.S) for one in _in_css(style)]
        for path, named in pages.items()
    }
    for path, loads in [*styles.items(), *in_pages.items()]:
        for one in loads:
            if not one.startswith("data:"):
                assert (path.parent / unquote(re.split("[?#]", one)[0])).is_file(), f"{path.name}: {one}"


def test_every_link_leads_to_a_page_and_a_place_that_are_there(made: Path, pages: dict[Path, Named]) -> None:
    wrong = []
    for path, named in pages.items():
        for to in named.leads:
            file, _, place = to.partition("#")
            if re.match(r"\w+:", to):
                continue
            target = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            there = target.is_file() and (not place or target not in pages or unquote(place) in pages[target].places)
            if not there:
                wrong.append(f"{path.relative_to(made)}: {to}")
    assert wrong == []


def test_each_lesson_and_exercise_says_how_to_run_it_and_hands_out_its_notebook_without_outputs(
    made: Path, pages: dict[Path, Named]
) -> None:
    for lesson in COURSE:
        leads = pages[made / "notebooks" / f"{lesson.slug}.html"].leads
        place = f"lessons/{lesson.slug}.ipynb"
        assert f"https://mybinder.org/v2/gh/{NAME}/HEAD?urlpath=lab/tree/{place}" in leads
        assert f"https://codespaces.new/{NAME}" in leads
        assert f"../{place}" in leads
        assert '"text/html"' not in (made / place).read_text()
    for slug in EXERCISES:
        place = f"lessons/exercises/{slug}/{slug}.ipynb"
        leads = pages[made / "exercises" / "release" / slug / f"{slug}.html"].leads
        assert f"https://mybinder.org/v2/gh/{NAME}/HEAD?urlpath=lab/tree/{place}" in leads


def test_a_reader_without_a_kernel_steps_through_a_program_and_unfolds_a_question(page: Any) -> None:
    page.goto(LESSON)
    walk = page.locator(".walk").first
    assert walk.locator("output").inner_text().startswith("1 of 8 · parent, line 2")
    walk.locator(".on").click()
    assert walk.locator("output").inner_text().startswith("2 of 8")
    page.locator(".udock .lanes .call").first.hover()
    assert page.locator(".udock .lanes .call .more").first.is_visible()
    question = page.locator("details.hide", has_text="predict(").first
    assert not question.locator("pre").is_visible()
    question.locator("summary").click()
    assert question.locator("pre").is_visible()


def test_search_finds_the_lesson_that_a_word_is_from(page: Any) -> None:
    page.goto("search.html?q=flock")
    page.locator("#search-results a", has_text="Ids: unique under any number of runs").wait_for()


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1366)])
def test_pages_pass_axe_in_both_themes_and_need_no_scrolling_sideways(page: Any, theme: str, width: int) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    ARTEFACTS.mkdir(exist_ok=True)
    for name in ("index.html", LESSON, "docs/hub.html"):
        page.goto(name)
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        if name != "docs/hub.html":  # which has words that are longer than a phone is wide
            page.screenshot(path=str(ARTEFACTS / f"site-{Path(name).stem}-{theme}.png"), full_page=True)
            assert faults_in(page, "html") == []


def test_cards_are_dark_in_the_dark_theme_whatever_the_readers_system_prefers(page: Any) -> None:
    page.goto(LESSON)
    page.evaluate("localStorage.setItem('mode', 'dark'); localStorage.setItem('theme', 'dark')")
    page.reload()
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    light = "e => getComputedStyle(e).backgroundColor.match(/[\\d.]+/g).map(Number)"
    for part in (".udock", ".cell_input", "body"):
        red, green, blue, *_ = page.locator(part).first.evaluate(light)
        assert max(red, green, blue) < 90, part
    frames = page.locator("div.output.text_html").evaluate_all(f"all => all.map({light}).filter(c => c[3] !== 0)")
    assert frames == []


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("work")
    command = [sys.executable, ROOT / "scripts" / "make_site.py", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path} holds something else. Name a new folder: --out DIR\n")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_pages_pass_axe_and_fit_a_phone(page: Any, made: Path, pages: dict[Path, Named], theme: str) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 390, "height": 900})
    found = {}
    for path in pages:
        page.goto(str(path.relative_to(made)))
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path.name
        faults = faults_in(page, "html")
        if faults:
            found[path.name] = faults
    assert found == {}
