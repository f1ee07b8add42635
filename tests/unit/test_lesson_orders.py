"""``put_in_order`` and ``exit_ticket``: attempts are run for real, and answers judged by program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab.errors import UsageError
from udock_lab.lesson import Lesson, begin, exit_ticket, progress, put_in_order
from udock_lab.model import SandboxResult

PROGRAM = [
    "import os",
    "pid = os.fork()",
    "pid, status = os.waitpid(pid, 0)",
    "if pid == 0: os._exit(42)",
    "print(os.waitstatus_to_exitcode(status))",
]
TICKET = (
    ("Which exit code is 34304?", 134, "134 times 256."),
    ("Which signal may it have been?", {"SIGABRT", "6"}, "128 + 6."),
)


@pytest.fixture
def lesson(home: Path) -> Iterator[Lesson]:
    begun = begin("m2_1a_fork")
    yield begun
    begun._close()


def kept(home: Path, section: str) -> object:
    facts = json.loads((home / "progress.json").read_text())[section]["m2_1a_fork"]
    facts.pop("asked", None)
    for order in facts.get("orders", {}).values():
        assert len(order.pop("times", ())) == order.get("tries", 0)
    return facts


def test_the_task_shows_its_lines_numbered_and_what_to_type(home: Path) -> None:
    text = str(put_in_order("launch", PROGRAM, expect="42\n", goal="the parent prints 42"))
    assert text.splitlines()[0] == "Put these lines in order, so that the parent prints 42."
    assert "    0  import os" in text
    assert "task.try_order(...)" in text


def test_a_wrong_order_is_run_and_says_what_happened(home: Path, lesson: Lesson) -> None:
    task = put_in_order("launch", PROGRAM, expect="42\n", goal="the parent prints 42")
    attempt = task.try_order(0, 1, 2, 3, 4)
    assert not attempt.solved
    text = str(attempt)
    assert text.startswith("Not yet. Wanted: the parent prints 42.")
    assert "child 1: ChildProcessError: [Errno 10] No child processes" in text
    assert kept(home, "lessons") == {"orders": {"launch": {"first": PROGRAM}}}  # the cell came with it: no try
    task.try_order(1, 0, 2, 3, 4)
    assert kept(home, "lessons") == {"orders": {"launch": {"first": PROGRAM, "tries": 1, "solved": False}}}


def test_the_right_order_is_recognised_by_what_it_prints_and_stays_solved(home: Path, lesson: Lesson) -> None:
    task = put_in_order("launch", PROGRAM, expect="42\n", goal="the parent prints 42")
    attempt = task.try_order([0, 1, 3, 2, 4])
    assert attempt.solved
    assert str(attempt).startswith("That is the order.")
    assert "    parent: 42" in str(attempt)
    task.try_order(0, 1, 2, 3, 4)
    lines = [PROGRAM[number] for number in (0, 1, 3, 2, 4)]
    facts = {"first": lines, "found": lines, "tries": 2, "solved": True}
    assert kept(home, "lessons") == {"orders": {"launch": facts}}


def test_the_value_of_the_last_line_is_no_output_of_the_program(home: Path) -> None:
    lines = ["import os", "os.write(1, b'parent\\n')"]
    attempt = put_in_order("x", lines, expect="parent\n", goal="it prints parent").try_order(0, 1)
    assert attempt.result is not None
    assert (attempt.solved, attempt.result.stdout) == (True, "parent\n")


def test_an_order_that_python_cannot_read_is_an_attempt_too(home: Path) -> None:
    task = put_in_order("x", ["if True:", "    print(1)"], expect="1\n", goal="1 is printed")
    attempt = task.try_order(1, 0)
    assert attempt.result is None
    assert "Python cannot read this code" in str(attempt)
    assert "Nothing was run." in str(attempt)


def test_a_function_may_judge_and_one_that_stumbles_says_no(home: Path) -> None:
    def second_line(result: SandboxResult) -> bool:
        return result.lines[1] == "b"

    task = put_in_order("x", ["print('a')", "print('b')"], expect=second_line, goal="b comes second")
    assert task.try_order(0, 1).solved
    task = put_in_order("x", ["pass", "pass"], expect=second_line, goal="b comes second")
    assert not task.try_order(0, 1).solved
    assert "    nothing" in str(task.try_order(0, 1))


def test_an_order_that_waits_for_ever_is_ended(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udock_lab.lesson.orders.TIMEOUT", 0.3)
    task = put_in_order("x", ["import time", "time.sleep(100)"], expect="", goal="it ends")
    assert "Stopped after 0.3 s" in str(task.try_order(0, 1))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((), "Lines 0, 1, 2, 3, 4 are missing"),
        ((0, 1, 2, 3), "Line 4 is missing"),
        ((0, 1, 2, 3, 3), "Line 3 stands there 2 times"),
        ((0, 1, 2, 3, 5), "There is no line 5"),
        ((0, 1, 2, 3, -1), "There is no line -1"),
        (("a", 1, 2, 3, 4), "'a' is not the number of a line"),
        ((0, True, 2, 3, 4), "True is not the number of a line"),
        (("0, 1, 2, 3, 4",), "is not the number of a line"),
    ],
)
def test_what_is_no_order_is_explained_and_not_run(home: Path, numbers: tuple[object, ...], said: str) -> None:
    task = put_in_order("launch", PROGRAM, expect="42\n", goal="the parent prints 42")
    with pytest.raises(UsageError, match=said) as caught:
        task.try_order(*numbers)
    assert "from 0 to 4" in str(caught.value)


def test_lines_must_be_lines() -> None:
    with pytest.raises(UsageError):
        put_in_order("x", "import os", expect="", goal="")


def test_an_unanswered_ticket_gives_nothing_away(home: Path, lesson: Lesson) -> None:
    ticket = exit_ticket(*TICKET)
    for shown in (str(ticket), str(ticket.answer(None, ...)), ticket._repr_html_()):
        assert "times 256" not in shown
        assert "34304" in shown
    assert json.loads((home / "progress.json").read_text())["tickets"] == {}


def test_each_answer_is_judged_by_itself(home: Path, lesson: Lesson) -> None:
    text = str(exit_ticket(*TICKET).answer(42))
    assert "Your answer 42: not yet." in text
    assert "128 + 6" not in text
    assert "Not answered: 1 of 2" in text
    assert kept(home, "tickets") == {"ticket": {"right": [False, False]}}


def test_what_was_right_once_stays_right(home: Path, lesson: Lesson) -> None:
    ticket = exit_ticket(*TICKET)
    assert str(ticket.answer("134", " sigabrt ")).startswith("Exit ticket: 2 of 2 right")
    assert ticket.right == (True, True)
    ticket.answer(1)
    assert kept(home, "tickets") == {"ticket": {"right": [True, True]}}


@pytest.mark.parametrize(
    ("accepted", "given", "right"),
    [
        (134, 134.0, True), (134, "134", True), (134, 134.5, False), ("SIGTERM", "sigterm.", True),
        ("a  child", "A child", True), (["yes", True], True, True), ({1, 2}, 3, False),
        (lambda given: given % 2 == 0, 4, True), (lambda given: given % 2 == 0, "four", False),
    ],
)  # fmt: skip
def test_answers_are_compared_with_good_will(home: Path, accepted: object, given: object, right: bool) -> None:
    assert exit_ticket(("?", accepted, "because")).answer(given).right == (right,)


def test_a_third_answer_to_two_questions_is_a_slip_of_the_comma() -> None:
    with pytest.raises(UsageError, match="2 questions, and you gave 3"):
        exit_ticket(*TICKET).answer(1, 3, 4)
    with pytest.raises(UsageError):
        exit_ticket(("question", "answer"))  # type: ignore[arg-type]


def test_a_ticket_shows_what_was_answered_before_and_keeps_it_with_its_question(home: Path) -> None:
    begin("m2_1a_fork")
    exit_ticket(*TICKET).answer(42, "SIGABRT")
    begun = begin("m2_1a_fork")  # as after a restart: the objects are new
    try:
        assert "Your answer 42: not yet." in str(exit_ticket(*TICKET))
        assert "Your answer SIGABRT: right." in str(exit_ticket(*TICKET))
        assert str(exit_ticket(("Another question?", 1, "explained"), TICKET[1])).count("Your answer") == 1
        ticket = exit_ticket(*TICKET)
        progress().reset("m2_1a_fork")
        assert "Your answer" not in str(ticket) + str(exit_ticket(*TICKET))
    finally:
        begun._close()


def test_an_answer_that_cannot_be_written_out_is_refused_and_loses_nothing(home: Path, lesson: Lesson) -> None:
    ticket = exit_ticket(*TICKET)
    with pytest.raises(UsageError, match="number or text"):
        ticket.answer(10**5000)
    assert "Your answer 134: right." in str(ticket.answer(134))


def run_the_cell(*numbers: int, lines: tuple[str, ...] = ("print(1)", "print(2)", "print(3)")) -> tuple[str, str]:
    """Run the cell of a task after a restart of the kernel; what it shows of task and attempt."""
    begun = begin("m2_1a_fork")
    try:
        task = put_in_order("x", lines, expect="2\n1\n3\n", goal="2 comes first")
        before = str(task)
        return before, str(task.try_order(*numbers))
    finally:
        begun._close()


def test_the_task_says_how_often_it_was_tried_before_and_an_order_once_found_stays_drawn(home: Path) -> None:
    assert "You tried" not in "".join(run_the_cell(0, 1, 2) + run_the_cell(0, 1, 2))
    run_the_cell(0, 2, 1)
    assert "You tried 1 time, not solved yet." in run_the_cell(1, 0, 2)[0]
    task, attempt = run_the_cell(0, 1, 2)  # the cell still has the numbers that it came with
    assert "You tried 2 times, and found the order." in task
    assert [line.strip() for line in task.splitlines()[2:5]] == ["1  print(2)", "0  print(1)", "2  print(3)"]
    assert attempt.startswith("That is the order.")
    assert "You found it before." in attempt
    assert run_the_cell(2, 1, 0)[1].startswith("Not yet.")  # a new try is one
    assert "You tried 3 times" in run_the_cell(0, 1, 2)[0]


def test_an_order_found_in_other_lines_is_not_drawn_in_these(home: Path) -> None:
    run_the_cell(1, 0, 2)
    task, attempt = run_the_cell(0, 1, 2, lines=("print(1)", "print(2)", "print(4)"))
    assert [line.strip() for line in task.splitlines()[2:4]] == ["0  print(1)", "1  print(2)"]
    assert attempt.startswith("Not yet.")
