"""A notebook that was saved and is opened again after its kernel is gone: every panel says what it was, and what to do.

By menus and keys alone, as anybody has them: nothing here asks JupyterLab's own objects.
"""

from __future__ import annotations

from typing import Any

from notebook_page import Lab, ask_until

CELLS = (
    "from udock_lab.lesson import begin, exit_ticket, predict, put_in_order, progress\nlesson = begin('m2_1a_fork')",
    "opened = predict('opened', 'How many lines appear?', {'one': 'no', 'two': 'both return'})",
    "locked = predict('locked', 'And how many dots?', {'six': 'no', 'eight': 'yes'})",
    "ticket = exit_ticket(('summaries', 'How many?'), ('copy', 'Whose?'))",
    "task = put_in_order('contract', ['pass', 'import os'], goal='it prints nothing', expect='')",
    "from udock_lab import status_decoder\nstatus_decoder(9)",
)
PANELS = 5


def run_menu(page: Any, menu: str, item: str) -> None:
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.locator(f".lm-Menu-item[data-command='{item}']").first.click()


def test_panels_of_a_notebook_without_its_kernel_say_to_run_the_cell(lab: Lab, browser: Any) -> None:
    name = lab.put("reopened.ipynb", *CELLS)
    page = browser.new_page(viewport={"width": 1280, "height": 4000})  # what is out of sight is not in the page
    try:
        page.goto(f"{lab.address}/lab/tree/{name}?token={lab.token}&reset")
        page.locator(".jp-CodeCell").nth(PANELS).wait_for(timeout=60_000)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        last = page.locator("form.panel").nth(PANELS - 1)
        ask_until(lambda: run_menu(page, "Run", "runmenu:run-all"), last, times=5, timeout=20_000)
        assert page.locator("[data-stands-in]:visible").count() == 0
        question = page.locator(".jp-CodeCell").nth(2)
        question.get_by_role("radio", name="eight").check()
        question.get_by_role("button", name="Lock", exact=True).click()
        question.locator("form.panel").get_by_text("Your answer is locked: eight").wait_for()
        run_menu(page, "File", "docmanager:save")
        run_menu(page, "Kernel", "kernelmenu:restart")
        page.get_by_role("button", name="Confirm Kernel Restart").click()
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        page.reload()
        stand_ins = page.locator("[data-stands-in]:visible")
        stand_ins.nth(PANELS - 1).wait_for(timeout=60_000)
        assert [words for words in stand_ins.all_inner_texts() if "run this cell" not in words] == [
            stand_ins.nth(1).inner_text()
        ]
        assert "Your answer is locked: eight" in stand_ins.nth(1).inner_text()
        page.wait_for_timeout(3_000)  # JupyterLab looks for a widget's model for two seconds
        assert page.get_by_text("Error displaying widget").locator("visible=true").count() == 0
        page.locator(".jp-CodeCell").nth(0).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Shift+Enter")
        question = page.locator(".jp-CodeCell").nth(1)
        question.get_by_role("radio", name="two").wait_for(timeout=30_000)
        assert question.locator("[data-stands-in]:visible").count() == 0
    finally:
        page.close()
