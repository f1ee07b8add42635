"""The panels of exit tickets and of lines to put in order, worked without a browser: what a message does to them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from udock_lab.lesson import ExitTicket, Lesson, OrderTask, begin, exit_ticket, progress, put_in_order
from udock_lab.widgets import order_panel, ticket_panel

QUESTIONS = (("Which exit code is 34304?", 134, "134 times 256."), ("Which signal may it be?", "SIGABRT", "128 + 6."))
LINES = ("import os", "pid = os.fork()", "os._exit(0) if pid == 0 else os.waitpid(pid, 0)", "print('parent <b>')")


@pytest.fixture
def lesson(home: Path) -> Iterator[Lesson]:
    begun = begin("m2_1a_fork")
    yield begun
    begun._close()


@pytest.fixture
def ticket(lesson: Lesson) -> ExitTicket:
    return exit_ticket(*QUESTIONS)


@pytest.fixture
def task(lesson: Lesson) -> OrderTask:
    return put_in_order("x", LINES, expect="parent <b>\n", goal="the parent writes")


def do(panel: Any, what: str, value: object = "") -> None:
    """What the browser sends for a click or a key."""
    panel._on_message(None, {"do": what, "value": value, "view": "v"}, [])


def test_what_is_typed_is_judged_by_answer_and_kept(home: Path, ticket: ExitTicket) -> None:
    panel = ticket_panel(ticket)
    do(panel, "type 0", ["", "status 134"])
    do(panel, "type 1", ["", "KILL"])
    assert ticket.right == (False, False)
    do(panel, "answer")
    assert ticket.right == (False, False)  # the question asks for an exit code, and not for a status
    do(panel, "type 0", ["", "exit code 134"])
    do(panel, "answer")
    assert ticket.right == (True, False)
    assert "134 times 256." in panel._html and "128 + 6" not in panel._html
    assert json.loads((home / "progress.json").read_text())["answers"]["m2_1a_fork"] == {
        QUESTIONS[0][0]: "exit code 134", QUESTIONS[1][0]: "KILL",
    }  # fmt: skip


def test_answering_one_question_again_is_no_second_try_of_the_other(ticket: ExitTicket) -> None:
    panel = ticket_panel(ticket)
    do(panel, "type 1", ["", "KILL"])
    for typed in ("1", "2", "134"):
        do(panel, "type 0", ["", typed])
        do(panel, "answer")
    assert "134 times 256." in panel._html
    assert "128 + 6" not in panel._html
    do(panel, "explain", "2")
    assert "128 + 6" in panel._html


def test_nothing_typed_is_said_and_judged_as_nothing(ticket: ExitTicket) -> None:
    panel = ticket_panel(ticket)
    do(panel, "type 0", ["", "  "])
    do(panel, "answer")
    assert "Nothing is typed yet" in panel._html
    do(panel, "explain", "1")
    assert "not answered yet" in panel._html
    assert not any(question.answered for question in ticket.questions)


def test_a_typed_call_shows_in_the_panel_and_a_reset_empties_it(ticket: ExitTicket) -> None:
    panel = ticket_panel(ticket)
    ticket.answer(42, "TERM")
    assert panel.typed == ["42", "TERM"]
    assert "Your answer 42: not yet." in panel._html
    progress().reset("m2_1a_fork")
    assert panel.typed == ["", ""]
    assert "Your answer" not in panel._html


def test_what_a_learner_types_is_text_on_the_page(ticket: ExitTicket) -> None:
    panel = ticket_panel(ticket)
    do(panel, "type 0", ["", '"><script>x</script>'])
    do(panel, "answer")
    assert "<script>" not in panel._html


def test_a_chosen_line_moves_and_stays_chosen(task: OrderTask) -> None:
    panel = order_panel(task)
    do(panel, "choose", ["", "2"])
    for what, value, order in (
        ("up", "", [0, 2, 1, 3]), ("up", "", [2, 0, 1, 3]), ("up", "", [2, 0, 1, 3]), ("down", "", [0, 2, 1, 3]),
        ("place", ["", "1"], [0, 1, 3, 2]), ("down", "", [0, 1, 3, 2]), ("place", ["", "4"], [2, 0, 1, 3]),
        ("place", ["", "9"], [2, 0, 1, 3]), ("choose", ["", "7"], [2, 0, 1, 3]), ("place", ["", "2"], [0, 1, 2, 3]),
    ):  # fmt: skip
        do(panel, what, value)
        assert (panel.order, panel.chosen) == (order, 2)
    assert "line 2: place 3 of 4" in panel._html
    assert "&lt;b&gt;" in panel._html and "parent <b>" not in panel._html


def tried(panel: Any) -> str:
    deadline = time.monotonic() + 30
    while panel.running or panel.attempted is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    panel.refresh()
    return str(panel._html)


def test_try_order_runs_the_lines_as_they_stand_and_counts(home: Path, task: OrderTask) -> None:
    panel = order_panel(task)
    do(panel, "down")
    do(panel, "try")
    assert "Not yet. Wanted: the parent writes." in tried(panel)
    assert task.order == (1, 0, 2, 3)
    do(panel, "up")
    do(panel, "try")
    assert "That is the order." in tried(panel)
    assert "You tried 2 times, and found the order." in panel._html
    assert json.loads((home / "progress.json").read_text())["lessons"]["m2_1a_fork"]["orders"]["x"]["solved"] is True


def test_an_order_tried_by_a_call_stands_in_the_panel(task: OrderTask) -> None:
    panel = order_panel(task)
    task.try_order(1, 0, 2, 3)  # the order that the cell came with is no try
    assert "You tried" not in panel._html
    task.try_order(3, 0, 1, 2)
    assert panel.order == [3, 0, 1, 2]
    assert "You tried 1 time" in panel._html
    assert "put in order" in panel.label and "0  import os" in panel.text()
