"""The lessons in a real JupyterLab in a real Chromium: opened, run top to bottom, looked at in both themes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_page import RUN_ALL, Lab, run_notebook

LESSONS = sorted(path.name for path in (Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
SHOWN = "m2_1b_exec_and_wait.ipynb"
RESTART = """async () => { const context = window.jupyterapp.shell.currentWidget.context;
    await context.sessionContext.session.kernel.restart(); await context.sessionContext.ready; }"""
PICTURES = (("top", "Exec and wait"), ("status", "ExitStatus(raw=raw)"), ("run", "result = %mdock run demo"))


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_a_lesson_runs_in_jupyterlab_without_an_error_and_shows_its_picture(
    lab: Lab, lab_page: Any, theme: str
) -> None:
    lesson = run_notebook(lab_page, SHOWN, theme)
    try:
        lesson.assert_clean()
        assert "left running: 0 containers, 0 processes" in json.dumps(lesson.cells[-1])
        for name, words in PICTURES:
            picture = lesson.photograph(f"{theme}-{name}", lab_page.locator(".jp-Cell", has_text=words).first)
            assert picture.stat().st_size > 10_000
    finally:
        lesson.close()


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_runs_in_jupyterlab_without_an_error(lab: Lab, lab_page: Any, name: str, theme: str) -> None:
    lesson = run_notebook(lab_page, name, theme)
    try:
        lesson.photograph_whole(f"lesson-{Path(name).stem}-{theme}")
        lesson.assert_clean()
    finally:
        lesson.close()


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_an_answer_locked_by_its_button_is_shown_locked_after_a_kernel_restart(
    lab: Lab, lab_page: Any, theme: str
) -> None:
    begin = "from udock_lab.lesson import begin, predict, progress\nlesson = begin('m2_1a_fork')"
    ask = f"{theme} = predict('{theme}', 'How many lines appear?', {{'one': 'no', 'two': 'both return'}})"
    lesson = run_notebook(lab_page, lab.put(f"restart-{theme}.ipynb", begin, ask), theme)
    try:
        question = lab_page.locator(".jp-Cell").nth(1)
        question.get_by_role("radio", name="two").check()
        question.get_by_role("button", name="Lock", exact=True).click()
        question.get_by_text("Your answer is locked: two").locator("visible=true").first.wait_for()
        lab_page.evaluate(RESTART)
        lab_page.evaluate(RUN_ALL)
        lab_page.wait_for_function("() => window.udockRan", timeout=60_000)
        lesson.assert_clean()
        question.get_by_text("Your answer is locked: two").locator("visible=true").first.wait_for()
        assert question.get_by_role("radio").count() == 0
        assert "two your answer" in question.locator(".chosen").inner_text()
        assert lesson.photograph(f"{theme}-restarted", question).stat().st_size > 5_000
    finally:
        lesson.close()
