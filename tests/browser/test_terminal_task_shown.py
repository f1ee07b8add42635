"""A lesson's task in JupyterLab's own terminals, opened by the menu: the line is pasted, the panel sees what happens."""

from __future__ import annotations

from typing import Any

from notebook_page import Lab, run_notebook

CELLS = (
    "%load_ext udock_lab\nfrom udock_lab.lesson import begin\nlesson = begin('m2_7_review')",
    "lesson.terminal_task('stop', until='stopped')",
)
TERMINALS = "() => document.querySelectorAll('.jp-Terminal .xterm-screen').length"
TO_NOTEBOOK = "name => { window.jupyterapp.commands.execute('docmanager:open', {path: name}); }"
NO_CLIPBOARD = "() => Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})"
CLOSE_TERMINALS = """async () => { for (const widget of [...window.jupyterapp.shell.widgets('main')])
    if (widget.content?.hasClass?.('jp-Terminal')) { await widget.content.session.shutdown(); widget.dispose(); } }"""


def paste_in_new_terminal(page: Any) -> None:
    """File, New, Terminal; then what the clipboard holds, and Enter."""
    before = page.evaluate(TERMINALS)
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-item[data-type=submenu]", has_text="New").first.hover()
    page.locator(".lm-Menu-item[data-command='terminal:create-new']").first.click()
    page.wait_for_function(f"n => ({TERMINALS})() > n", arg=before, timeout=30_000)
    terminal = page.locator(".jp-Terminal:visible")
    terminal.click()
    page.wait_for_timeout(1000)  # its shell says its first word
    terminal.locator("textarea").press("Control+Shift+V")
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")


def test_a_container_is_started_in_one_terminal_and_stopped_from_another(lab: Lab, lab_page: Any) -> None:
    name = lab.put("terminal.ipynb", *CELLS)
    shown = run_notebook(lab_page, name)
    lab_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = lab_page.locator(".jp-Cell").nth(1).locator(".panel").first
    try:
        shown.assert_clean()
        panel.get_by_text("Waiting: no container has come from a terminal yet.").wait_for()
        panel.get_by_role("button", name="Copy the line of step 1").click()
        panel.get_by_text("Copied").wait_for()
        first = lab_page.evaluate("() => navigator.clipboard.readText()")
        assert first == ". ~/.mdock/run/m2_7_review.terminal && mdock run -it demo"
        paste_in_new_terminal(lab_page)
        lab_page.evaluate(TO_NOTEBOOK, name)
        panel.get_by_text("Waiting: c1 runs in your terminal, and nobody has stopped it yet.").wait_for(timeout=30_000)
        shown.photograph("terminal-waiting", panel)
        lab_page.evaluate(NO_CLIPBOARD)  # as on a page of http from another machine
        panel.get_by_role("button", name="Copy the line of step 2").press("Enter")
        panel.get_by_text("Copied").wait_for()
        paste_in_new_terminal(lab_page)
        lab_page.wait_for_timeout(500)
        lab_page.keyboard.type("mdock stop -t 1 c1")
        lab_page.keyboard.press("Enter")
        lab_page.evaluate(TO_NOTEBOOK, name)
        panel.get_by_text("Done: c1 was stopped. Its record says killed, exit code 137.").wait_for(timeout=30_000)
        assert shown.photograph("terminal-done", panel).stat().st_size > 5_000
        shown.assert_clean()
    finally:
        lab_page.evaluate(CLOSE_TERMINALS)
        shown.close()
