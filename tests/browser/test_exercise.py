"""An exercise in a real JupyterLab: a wrong answer is typed and checked, then a right one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from axe import faults_in
from notebook_page import READY, Lab, NotebookPage, run_notebook

ROOT = Path(__file__).resolve().parents[2]
SLUG = "m2_1_process_creation"
ANSWERS = ROOT / "tests" / "exercises" / "corpus" / SLUG


BRIDGES = {  # what stands in the cell, and the solution
    "def start(": """import os


def start(argv):
    pid = os.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    os.waitpid(pid, 0)
""",
    "def end_of(": """def end_of(argv):
    pid = os.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    _, status = os.waitpid(pid, 0)
    return ExitInfo(code=os.waitstatus_to_exitcode(status))
""",
}
MADE = "%%sandbox --trace"  # the first line of the cell that %reproduce puts
DELETE = """async words => { const shown = window.jupyterapp.shell.currentWidget.content; shown.mode = 'command';
    shown.deselectAll();
    shown.activeCellIndex = shown.widgets.findIndex(cell => cell.model.sharedModel.getSource().startsWith(words));
    await window.jupyterapp.commands.execute('notebook:delete-cell'); }"""
OFFERED = """() => window.jupyterapp.shell.currentWidget.content.widgets
    .some(cell => cell.model.sharedModel.getSource().startsWith('%%sandbox --trace'))"""
FIND = """words => { const shown = window.jupyterapp.shell.currentWidget.content;
    const at = shown.widgets.findIndex(cell => cell.model.sharedModel.getSource().includes(words));
    shown.activeCellIndex = at; shown.deselectAll(); shown.mode = 'edit'; shown.activeCell.editor.focus(); return at; }"""
IN_SIGHT = """section => [...document.querySelectorAll('h1, h2, h3, h4')].some(heading => {
    const box = heading.getBoundingClientRect();
    return heading.textContent.startsWith(section) && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight; })"""
RUN_TO_END = """async () => { window.udockRan = false;
    window.jupyterapp.commands.execute('notebook:run-all-cells').finally(() => { window.udockRan = true; }); }"""


def type_over(page: Any, words: str, text: str) -> None:
    """Take the place of what stands in the cell with these words; in one go, or the editor would add indents."""
    assert page.evaluate(FIND, words) >= 0
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def check_again(opened: NotebookPage) -> str:
    """Run all cells once more; what the check cell shows."""
    opened.page.evaluate(RUN_TO_END)
    opened.page.wait_for_function("() => window.udockRan", timeout=90_000)
    (cell,) = [one for one in opened.cells if "".join(one["source"]).startswith(f'score = check("{SLUG}"')]
    return json.dumps(cell["outputs"], ensure_ascii=False)


def words_of(cell: dict[str, Any]) -> str:
    shown = "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell["outputs"])
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", shown, flags=re.DOTALL).split())


def reproduce(opened: NotebookPage, number: int) -> None:
    """Let ``%reproduce`` put its cell, run that by keys, look at it in both themes, and take both cells away again."""
    page = opened.page
    assert page.evaluate(FIND, "score = check") >= 0
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:insert-cell-below')")
    page.keyboard.insert_text(f"%reproduce {number}")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function(OFFERED, timeout=30_000)
    cell = page.locator(".jp-Cell", has_text=MADE)
    page.evaluate(FIND, MADE)
    page.keyboard.press("Control+Enter")
    cell.locator(".lanes").wait_for(timeout=60_000)
    assert "ExitInfo(code=" in cell.inner_text()
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate(
            "async theme => { await window.jupyterapp.commands.execute('apputils:change-theme', {theme}); }", theme
        )
        page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=theme)
        page.wait_for_timeout(300)  # colours are on their way
        assert faults_in(page, ".udock") == []
        opened.photograph(f"reproduced-{theme[11:].lower()}", cell)
    for words in (MADE, f"%reproduce {number}"):
        page.evaluate(DELETE, words)


def follow_to(page: Any, notebook: str, section: str) -> None:
    """Click on the report's link: that lesson opens. Again, now that it is open: it stands at that heading."""
    shown = "window.jupyterapp.shell.currentWidget"
    exercise = page.evaluate(f"{shown}.id")
    for _ in range(2):  # JupyterLab itself looks for the heading too early in a notebook that it has yet to open
        page.evaluate("id => { window.jupyterapp.shell.activateById(id); }", exercise)
        page.locator(f"a[href*='{notebook}']", has_text=section).last.click()
        page.wait_for_function(f"path => {shown}.context.path === path", arg=notebook, timeout=60_000)
        page.get_by_role("heading", name=section).first.wait_for(timeout=60_000)
    page.wait_for_function(IN_SIGHT, arg=section, timeout=60_000)
    page.wait_for_function(READY, arg=notebook, timeout=60_000)
    NotebookPage(page, complaints=[]).close()  # the lesson
    page.evaluate("id => { window.jupyterapp.shell.activateById(id); }", exercise)


def answer(name: str) -> str:
    return (ANSWERS / f"{name}.py").read_text()


def test_an_exercise_is_solved_by_typing_checked_failed_once_and_passed_once(lab: Lab, lab_page: Any) -> None:
    name = f"exercises/{SLUG}/{SLUG}.ipynb"
    (lab.folder / name).parent.mkdir(parents=True)
    shutil.copy(ROOT / "exercises" / "release" / SLUG / f"{SLUG}.ipynb", lab.folder / name)
    opened = run_notebook(lab_page, name)
    try:
        raised = [out for cell in opened.cells for out in cell["outputs"] if out["output_type"] == "error"]
        assert (raised, opened.not_run, opened.complaints) == ([], [], [])  # unsolved: its error is the sandbox's
        for words, bridge in BRIDGES.items():
            type_over(lab_page, words, bridge)
        type_over(lab_page, "NotImplementedError", answer("wrong_raw_status"))
        failed = check_again(opened)
        assert "2 of 7 points" in failed
        assert "the raw wait status taken for the exit code" in failed
        opened.photograph("exercise-failed", lab_page.locator(".jp-Cell", has_text="score = check").first)
        passes = [cell for cell in opened.cells if "bridge=" in "".join(cell["source"])]
        assert ["✔ done" in words_of(cell) for cell in passes] == [True, True], [words_of(cell) for cell in passes]
        reproduce(opened, 3)
        type_over(lab_page, "def launch", answer("right_waitid"))
        assert "7 of 7 points" in check_again(opened)
        opened.photograph("exercise-passed", lab_page.locator(".jp-Cell", has_text="score = check").first)
        opened.assert_clean()
        type_over(lab_page, "def launch", answer("wrong_raw_status"))
        check_again(opened)
        follow_to(lab_page, "m2_1b_exec_and_wait.ipynb", "What waitpid hands back")
    finally:
        opened.close()
