"""Lessons m2_3 and m2_4: wrong answers meet their sentence and each task has an order that works."""

from __future__ import annotations

from pathlib import Path

import pytest
from lesson_taking import attempt, sources, taken_wrongly, task_of

from udock_lab.sandbox import run

IDS, METADATA = "m2_3_container_ids", "m2_4_metadata"


@pytest.mark.in_turn(2)
@pytest.mark.parametrize(
    ("slug", "answers", "sentences"),
    [
        (
            IDS,
            {"following": "c11", "together": "c11 and c12", "shared": "all different"},
            ["the machine says c10", "text is compared letter by letter", "the machine says c11 and c11",
             "reading and writing are two steps", "the machine says duplicates", "a lock belongs to the open file"],
        ),
        (
            METADATA,
            {"left": "killed", "short": "nothing, and fails", "whole": "in place and rename"},
            ["the machine says running", "signal 9 writes nothing more", "the machine says writes 25",
             "write promises neither", "the machine says rename", "equal length saves the table's size"],
        ),
    ],
)  # fmt: skip
def test_wrong_predictions_meet_the_sentence_that_names_the_misconception(
    slug: str, answers: dict[str, str], sentences: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = taken_wrongly(slug, answers, tmp_path, monkeypatch)
    assert [sentence for sentence in sentences if sentence not in text] == []
    assert "predictions: 3 of 3 answered, 0 right" in text


@pytest.mark.parametrize(
    ("slug", "right"), [(IDS, [0, 2, 1, 4, 3, 5, 6, 7, 8]), (METADATA, [0, 1, 2, 4, 3, 5, 6, 7])]
)
def test_task_is_shown_in_an_order_that_fails_and_has_one_that_works(slug: str, right: list[int]) -> None:
    task, shown = task_of(slug)
    assert not attempt(task, shown).solved
    assert attempt(task, right).solved


def test_lock_opened_before_the_fork_is_not_the_order() -> None:
    task, _ = task_of(IDS)
    inherited = attempt(task, [0, 1, 2, 4, 3, 5, 6, 7, 8])
    assert inherited.result is not None
    assert inherited.result.lines == ("c1 c1",)




def test_a_disk_without_any_room_makes_write_fail() -> None:
    cell = next(source for source in sources(METADATA) if "def write_forty(" in source)
    assert run(f"{cell.partition('answer = ')[0]}\nprint(write_forty(0))").lines == ("EFBIG",)
