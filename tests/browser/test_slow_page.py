"""A browser so busy that a panel's code comes too late for anywidget, which waits two seconds and then hears nothing."""

from __future__ import annotations

from typing import Any

from notebook_page import LATE, Lab, run_notebook

CELLS = (
    "from udock_lab.lesson import begin, predict\nlesson = begin('m2_1a_fork')",
    "busy = predict('busy', 'How many lines appear?', {'one': 'no', 'two': 'both return'})",
    "meanwhile = predict('meanwhile', 'And how many dots?', {'six': 'no', 'eight': 'yes'})\nmeanwhile.lock('eight')",
)
TOO_LATE = """() => { window.udockInTime = AbortSignal.timeout; AbortSignal.timeout = () => {
    const late = new AbortController(); queueMicrotask(() => late.abort()); return late.signal; }; }"""
IN_TIME = "() => { AbortSignal.timeout = window.udockInTime; }"


def test_a_panel_whose_code_comes_late_shows_its_question_and_takes_the_answer(lab: Lab, lab_page: Any) -> None:
    said: list[str] = []
    lab_page.on("pageerror", lambda error: said.append(str(error)))
    lab_page.evaluate(TOO_LATE)
    shown = run_notebook(lab_page, lab.put("late.ipynb", *CELLS))
    try:
        lab_page.evaluate(IN_TIME)
        question, meanwhile = (lab_page.locator(".jp-Cell").nth(place).locator(".panel") for place in (1, 2))
        question.get_by_role("radio", name="two").check()
        question.get_by_role("button", name="Lock", exact=True).click()
        question.get_by_text("Your answer is locked: two").wait_for()
        meanwhile.get_by_text("Your answer is locked: eight").wait_for()
        assert any(LATE in words for words in said)  # it was too late indeed
    finally:
        lab_page.evaluate(IN_TIME)
        shown.close()
