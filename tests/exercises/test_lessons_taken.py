"""What a lecturer sees of the lessons, from the exports that learners hand in."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # the class that the unit tests tell of

from test_display_classroom import CLASS

from udock_lab.display.pages.classroom import class_page
from udock_lab.grading.classfiles import _table_of
from udock_lab.grading.taken import lessons_taken
from udock_lab.lesson.outline import COURSE
from udock_lab.work.exported import pack

READ = {"lessons": {"m2_1a_fork": {"done": True, "asked": {
    "predictions": ["lines", "dots", "results"], "orders": ["contract"], "ticket": ["a", "b"]}}}}  # fmt: skip
DONE = {
    "lessons": {"m2_1a_fork": READ["lessons"]["m2_1a_fork"] | {"orders": {"contract": {"tries": 1, "solved": True}}}},
    "predictions": {"m2_1a_fork": {name: {"answer": "one"} for name in ("lines", "dots", "results")}},
    "answers": {"m2_1a_fork": {"a": 1, "b": 2}},
}


def test_the_class_page_says_who_has_read_answered_or_done_which_lesson(tmp_path: Path) -> None:
    for name, progress in (("anna", READ), ("bo/m2_1_process_creation", DONE), ("zoe", None)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "work.udock").write_bytes(b"no export" if progress is None else pack(progress, {}))
    (tmp_path / "eve").symlink_to(tmp_path / "bo")
    rows = lessons_taken([tmp_path])
    place = [lesson.slug for lesson in COURSE].index("m2_1a_fork")
    assert [(row.learner, row.states[place] if row.states else row.trouble) for row in rows] == [
        ("anna", "read"),
        ("bo", "done"),
        ("zoe", "work.udock is not taken in: it is no export of udock-lab"),
    ]
    page = class_page(CLASS, _table_of(rows))
    assert "<td>done ✔</td>" in page and "<td>read</td>" in page
    assert f'colspan="{len(COURSE)}">work.udock is not taken in' in page


def test_of_several_exports_of_a_learner_all_count(tmp_path: Path) -> None:
    (tmp_path / "anna/m2_1_process_creation").mkdir(parents=True)
    (tmp_path / "anna/one.udock").write_bytes(pack(READ, {}))
    (tmp_path / "anna/m2_1_process_creation/two.udock").write_bytes(pack(DONE, {}))
    (row,) = lessons_taken([tmp_path])
    assert "done" in row.states


def test_where_nobody_handed_one_in_the_page_has_no_such_table(tmp_path: Path) -> None:
    assert lessons_taken([tmp_path]) == []
    assert "The lessons" not in class_page(CLASS, _table_of([]))
