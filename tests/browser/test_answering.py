"""Exit tickets and lines to put in order, answered by keys alone and by mouse, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import _wait_for
from notebook_page import ARTEFACTS, Lab, ask_until, notebook, run_all_by_menu, run_notebook
from ports import a_free_port

BEGIN = "%load_ext udock_lab\nfrom udock_lab.lesson import begin, exit_ticket, progress, put_in_order"
TICKET = (
    "lesson = begin('m2_7_review')\n"
    "ticket = exit_ticket(('port', 'Two containers start a server on port 8080. Which cannot listen?'),\n"
    "    ('limit', '`ulimit -v` gives each process 2 GB. How many GB may 50 of them take together?'))"
)
ORDER = (
    "task = put_in_order('contract', ['import os', 'pid = os.fork()', \"os.write(1, b'parent\\\\n')\",\n"
    "    \"if pid == 0:\\n    os.write(1, b'child\\\\n'); os._exit(0)\", 'if pid: os.waitpid(pid, 0)'],\n"
    "    goal='it prints child, then parent', expect='child\\nparent\\n')"
)
TRIED = ORDER.replace("'contract'", "'again'") + "\ntask.try_order(0, 1, 2, 3, 4)"


def keys(page: Any, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def answer_by_keys(cell: Any, page: Any) -> None:
    """Both questions, from the first field on, without the mouse: a wrong answer, the explanation, right ones."""
    cell.get_by_label("answer to question 1").focus()
    page.keyboard.type("both")
    keys(page, "Enter")
    cell.get_by_text("Your answer both: not yet. Try once more; the button Explain 1 tells why.").wait_for()
    assert cell.get_by_text("a port has one listener").count() == 0
    keys(page, "Tab", "Enter")
    cell.get_by_text("a port has one listener").wait_for()
    field = cell.get_by_label("answer to question 1")
    field.focus()
    keys(page, "Control+a")
    page.keyboard.type("the second")
    keys(page, "Tab")
    page.keyboard.type("100 MB")
    keys(page, "Enter")
    cell.get_by_text("Your answer 100 MB: not yet.").wait_for()
    cell.get_by_text("Your answer the second: right.").wait_for()
    keys(page, "Control+a")
    page.keyboard.type("100 gb")
    keys(page, "Enter")
    cell.get_by_text("Exit ticket: 2 of 2 right").wait_for()


def order_by_keys(cell: Any, page: Any) -> None:
    """Line 2 goes one down by the arrow key of the handle, then the order is tried."""
    cell.get_by_role("radio").nth(0).focus()
    keys(page, "ArrowDown", "ArrowDown")  # the third line, number 2, is chosen
    handle = cell.get_by_role("slider", name="place of the chosen line")
    cell.locator("input.handle[aria-valuetext='line 2: place 3 of 5']").wait_for()
    keys(page, "Tab")
    assert handle.evaluate("node => node === document.activeElement")
    keys(page, "ArrowDown")
    cell.locator("input.handle[aria-valuetext='line 2: place 4 of 5']").wait_for()
    assert numbers(cell) == ["0", "1", "3", "2", "4"]
    keys(page, "Tab", "Enter", "Tab", "Tab", "Enter")  # Move up, and then the button after Move down: Try order
    cell.get_by_text("Not yet. Wanted: it prints child, then parent.").wait_for(timeout=30_000)
    assert numbers(cell) == ["0", "1", "2", "3", "4"]


def order_by_mouse(cell: Any) -> None:
    """A click on a line chooses it, the button moves it."""
    cell.locator(".moving label", has_text="parent").click()
    for place in (4, 5):
        cell.get_by_role("button", name="Move down", exact=True).click()
        cell.locator(f"input.handle[aria-valuetext='line 2: place {place} of 5']").wait_for()
    cell.get_by_role("button", name="Try order", exact=True).click()
    cell.get_by_text("That is the order.").wait_for(timeout=30_000)


def numbers(cell: Any) -> list[str]:
    return cell.locator(".moving label > b").all_inner_texts()  # type: ignore[no-any-return]


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_tickets_and_orders_are_answered_by_keys_and_by_mouse(lab: Lab, lab_page: Any, theme: str) -> None:
    begin = f"{BEGIN}\nprogress().reset('m2_7_review')"  # the other theme has answered it
    shown = run_notebook(lab_page, lab.put(f"answering-{theme}.ipynb", begin, TICKET, ORDER, TRIED), theme)
    try:
        shown.assert_clean()
        cells = [lab_page.locator(".jp-Cell").nth(place).locator(".panel").first for place in (1, 2)]
        answer_by_keys(cells[0], lab_page)
        shown.photograph(f"answering-ticket-{theme}", cells[0])
        order_by_keys(cells[1], lab_page)
        shown.photograph(f"answering-order-wrong-{theme}", cells[1])
        order_by_mouse(cells[1])
        assert shown.photograph(f"answering-order-{theme}", cells[1]).stat().st_size > 5_000
        tried = lab_page.locator(".jp-Cell").nth(3)
        assert tried.get_by_text("Not yet. Wanted: it prints child, then parent.").count() == 1
        order_by_mouse(tried)
        assert tried.get_by_text("Not yet.").count() == 0  # the attempt that the cell made was drawn over
        assert tried.get_by_text("That is the order.").count() == 1
        shown.assert_clean()
    finally:
        shown.close()


def test_handle_and_whole_lines_are_dragged_and_the_line_goes_with_them(lab: Lab, lab_page: Any) -> None:
    begin = f"{BEGIN}\nprogress().reset('m2_7_review')"  # an order once found would be drawn
    shown = run_notebook(lab_page, lab.put("dragging.ipynb", begin, ORDER))
    try:
        cell = lab_page.locator(".jp-Cell").nth(1).locator(".panel").first
        box = cell.locator("input.handle").bounding_box()
        lab_page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8)
        lab_page.mouse.down()
        lab_page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=8)
        lab_page.mouse.up()
        cell.locator("input.handle[aria-valuetext='line 0: place 5 of 5']").wait_for()
        assert numbers(cell) == ["1", "2", "3", "4", "0"]
        drag_line(cell, lab_page, "3", "1")  # line 3 is two rows high
        cell.locator("input.handle[aria-valuetext='line 3: place 1 of 5']").wait_for()
        assert numbers(cell) == ["3", "1", "2", "4", "0"]
        drag_line(cell, lab_page, "1", "0")
        cell.locator("input.handle[aria-valuetext='line 1: place 5 of 5']").wait_for()
        assert numbers(cell) == ["3", "2", "4", "0", "1"]
        assert lab_page.evaluate("() => String(getSelection())") == ""
        cell.locator(".moving label", has_text="import os").click()  # a click still chooses, and moves nothing
        cell.locator("input.handle[aria-valuetext='line 0: place 4 of 5']").wait_for()
    finally:
        shown.close()


def drag_line(cell: Any, page: Any, number: str, onto: str) -> None:
    """Take a line anywhere, by its code, and let it go on the far half of another one."""
    lines = cell.locator(".moving label")
    start, end = (lines.nth(numbers(cell).index(one)).bounding_box() for one in (number, onto))
    beyond = 0.2 if end["y"] < start["y"] else 0.8
    page.mouse.move(start["x"] + 90, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, end["y"] + end["height"] * beyond, steps=12)
    page.mouse.up()


@pytest.fixture
def notebook_7(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """A page of Notebook 7 with the same cells, run."""
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook(BEGIN, TICKET, ORDER)))
    port = a_free_port()
    token = secrets.token_hex(16)
    env = os.environ | {"JUPYTER_TOKEN": token, "HOME": str(tmp_path)}
    options = ["--no-browser", "--allow-root", f"--port={port}", f"--ServerApp.root_dir={tmp_path}"]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "notebook", *options], env=env, stdout=log, stderr=log)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/status?token={token}")
        page = browser.new_page(viewport={"width": 1280, "height": 1100})
        page.goto(f"http://127.0.0.1:{port}/notebooks/a.ipynb?token={token}")
        page.locator(".jp-CodeCell").nth(2).wait_for(timeout=60_000)
        ask_until(lambda: run_all_by_menu(page), page.locator(".moving"), times=6, timeout=15_000)
        yield page
        page.close()
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.skipif(find_spec("notebook") is None, reason="needs notebook: pip install notebook")
def test_both_work_in_notebook_7_too(notebook_7: Any) -> None:
    cells = [notebook_7.locator(".jp-CodeCell").nth(place).locator(".panel").first for place in (1, 2)]
    answer_by_keys(cells[0], notebook_7)
    order_by_keys(cells[1], notebook_7)
    order_by_mouse(cells[1])
    ARTEFACTS.mkdir(exist_ok=True)
    notebook_7.screenshot(path=str(ARTEFACTS / "answering-notebook7.png"))
