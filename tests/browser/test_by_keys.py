"""The parts of a lesson that are worked, one after the other, in a real JupyterLab by keys alone.

Tab and Shift+Tab find every control, each has a name, none keeps the focus, and none loses it when it is used.
"""

from __future__ import annotations

from typing import Any

from notebook_page import Lab, run_notebook

CELLS = (
    "%load_ext udock_lab\n"
    "from udock_lab.lesson import begin, exit_ticket, predict, progress, put_in_order\n"
    "lesson = begin('m2_1a_fork')\nprogress().reset('m2_1a_fork')",
    "keyed = predict('keyed', 'How many lines appear?', {'one': 'no', 'two': 'both return'})",
    "%%sandbox --trace\nimport os\nif os.fork() == 0:\n    os._exit(0)\nos.wait()",
    "%mdock run demo -- /bin/true",
    "task = put_in_order('keyed', ['print(x)', 'x = 1'], goal='it prints 1', expect='1\\n')",
    "ticket = exit_ticket(('summaries', 'How many summaries?'), ('copy', 'Whose copy is it?'))",
)
PREDICTION, SANDBOX, RUN, ORDER, TICKET = range(1, 6)
START = """() => { const shown = window.jupyterapp.shell.currentWidget.content; shown.activeCellIndex = 0;
    shown.mode = 'command'; shown.activate(); }"""
STOP = """() => { const node = document.activeElement; const cell = node.closest('.jp-Cell');
    const named = node.getAttribute('aria-label') || node.labels?.[0]?.innerText || node.innerText || '';
    return [[...document.querySelectorAll('.jp-Cell')].indexOf(cell), node === cell ? 'the cell' : named.trim()]; }"""
MOST = 60  # stops of a cell


def stop(page: Any) -> tuple[int, str]:
    """The cell that has the focus, -1 for none, and the name of what has it there."""
    return tuple(page.evaluate(STOP))  # type: ignore[return-value]


def tab_to(page: Any, name: str, *, key: str = "Tab") -> None:
    """Press the key until something of that name has the focus; the way there leads through this cell, by names."""
    cell, passed = stop(page)[0], []
    while len(passed) < MOST:
        page.keyboard.press(key)
        passed.append(stop(page))
        assert passed[-1][0] == cell, (name, passed)
        assert passed[-1][1], (name, passed)
        if passed[-1][1].startswith(name):
            return
    raise AssertionError((name, passed))


def go_to(page: Any, cell: int) -> None:
    """Back from the controls to their cell, and down to that one."""
    if stop(page)[1] != "the cell":
        tab_to(page, "the cell", key="Shift+Tab")
    while stop(page)[0] < cell:
        before = stop(page)[0]
        page.keyboard.press("ArrowDown")
        page.wait_for_function(f"before => ({STOP})()[0] > before", arg=before)
    assert stop(page) == (cell, "the cell")


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_lessons_parts_are_worked_by_keys_alone_without_a_trap(lab: Lab, lab_page: Any) -> None:
    page = lab_page
    shown = run_notebook(page, lab.put("by_keys.ipynb", *CELLS))
    cells = page.locator(".jp-Cell")
    try:
        cells.nth(TICKET).locator("form.panel").wait_for()
        page.evaluate(START)
        go_to(page, PREDICTION)
        tab_to(page, "one")
        press(page, "ArrowDown", "Tab", "Enter")
        cells.nth(PREDICTION).locator("form").get_by_text("Your answer is locked: two").wait_for()
        assert stop(page) == (PREDICTION, "prediction")
        go_to(page, SANDBOX)
        slider = cells.nth(SANDBOX).locator(".walk.live input")
        tab_to(page, slider.get_attribute("aria-label"))
        press(page, "Home", "ArrowRight")  # on the way each call that had the focus was shown
        assert cells.nth(SANDBOX).locator(".walk output").inner_text().startswith("2 of ")
        go_to(page, RUN)
        folded = cells.nth(RUN).locator("details").first
        before = folded.evaluate("node => node.open")
        tab_to(page, folded.locator("summary").first.inner_text())
        press(page, "Enter")
        assert folded.evaluate("node => node.open") is not before
        go_to(page, ORDER)
        tab_to(page, "0")
        press(page, "Tab")
        assert stop(page) == (ORDER, "place of the chosen line")
        press(page, "ArrowDown")
        cells.nth(ORDER).locator("input.handle[aria-valuetext='line 0: place 2 of 2']").wait_for()
        tab_to(page, "Try order")
        press(page, "Enter")
        cells.nth(ORDER).get_by_text("That is the order.").wait_for(timeout=30_000)
        assert stop(page) == (ORDER, "Try order")
        go_to(page, TICKET)
        tab_to(page, "answer to question 1")
        page.keyboard.type("8")
        press(page, "Tab")
        page.keyboard.type("mine")
        press(page, "Enter")
        cells.nth(TICKET).locator("form").get_by_text("Your answer mine: not yet.").wait_for()
        assert stop(page) == (TICKET, "answer to question 2")
        tab_to(page, "Explain question 2")
        tab_to(page, "Answer")
        press(page, "Tab")
        assert stop(page)[0] != TICKET
        shown.assert_clean()
    finally:
        shown.close()
