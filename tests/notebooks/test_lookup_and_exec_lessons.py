"""Lessons m2_5 and m2_6: wrong answers meet their sentence and each task has an order that works."""

from __future__ import annotations

from pathlib import Path

import pytest
from lesson_taking import attempt, sources, taken_wrongly, task_of

from udock_lab.sandbox import run

LOOKUP, FAILURE = "m2_5_image_lookup", "m2_6_exec_failure"


@pytest.mark.in_turn(2)
@pytest.mark.parametrize(
    ("slug", "answers", "sentences"),
    [
        (
            LOOKUP,
            {"prefix": "demo", "torn": "None", "swapped": "first / first"},
            ["the machine says demo-old", "A prefix match is not a match", "the machine says ValueError",
             "the machine says second / first", "the path is text"],
        ),
        (
            FAILURE,
            {"reader": "hello, then the end", "caught": "the parent", "succeeded": "none"},
            ["the machine says it waits for ever", "the machine says the child", "raises nothing in its parent",
             "the machine says two", "misses a library"],
        ),
    ],
)  # fmt: skip
def test_wrong_predictions_meet_the_sentence_that_names_the_misconception(
    slug: str, answers: dict[str, str], sentences: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = taken_wrongly(slug, answers, tmp_path, monkeypatch)
    assert [sentence for sentence in sentences if sentence not in text] == []
    assert "predictions: 3 of 3 answered, 0 right" in text


@pytest.mark.parametrize(("slug", "right"), [(LOOKUP, [0, 1, 3, 4, 2, 5]), (FAILURE, [0, 1, 2, 3, 5, 4, 6])])
def test_task_is_shown_in_an_order_that_fails_and_has_one_that_works(slug: str, right: list[int]) -> None:
    task, shown = task_of(slug)
    assert not attempt(task, shown).solved
    assert attempt(task, right).solved


def test_reading_before_the_own_write_end_is_closed_hangs_and_is_not_the_order() -> None:
    task, _ = task_of(FAILURE)
    waits = attempt(task, [0, 1, 2, 3, 4, 5, 6])
    assert not waits.solved
    assert waits.result is not None
    assert "waiting in read" in waits.result.verdict


def test_line_to_change_in_the_pipe_cell_lets_the_end_arrive() -> None:
    cell = next(source for source in sources(FAILURE) if "parent_keeps_its_end = True" in source)
    program = cell.partition("\n")[2].replace("parent_keeps_its_end = True", "parent_keeps_its_end = False")
    ended = "end of file, and parent_keeps_its_end is False"
    assert run(program, timeout=20).lines == ("read: hello", ended)


def test_line_to_change_in_the_lookup_cell_finds_the_image_below_the_torn_line() -> None:
    wanted = ("table = ", "at_a_bad_line")
    cells = [source for source in sources(LOOKUP) if source.startswith(wanted)]
    table, loop = cells[0].partition("taken")[0], cells[1].replace('"stop"      #', '"pass over"  #', 1)
    assert run(f'{table}\ndamaged = "torn|/images/4\\n" + table\n{loop}').lines == ("demo: /images/3",)
