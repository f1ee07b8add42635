"""What is written of a class whose files are called as real ones are: who, which exercise, what counts, what is not."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from classroom import answer, dump, handed_in, release, without_checks

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))  # the reports that the unit tests tell of

from test_display_classroom import report

from udock_lab import course as program
from udock_lab.display.pages.classroom import Failed, Handed, Pupil, Work, class_pages, learner_page
from udock_lab.errors import UsageError
from udock_lab.grading.classfiles import ClassFiles, counting
from udock_lab.grading.marks import Result
from udock_lab.grading.roster import Enrolled, read_roster
from udock_lab.grading.submissions import class_of, exercise_of, find_submissions

SLUG, OTHER = "m2_1_process_creation", "m2_3_container_ids"
NOT_WRITTEN = "def launch(argv):\n    raise NotImplementedError"
HIDDEN = answer(SLUG, "wrong_137_is_a_signal")


def result(learner: str, exercise: str, points: float, *, name: str = "", changed: float = 0, **more: Any) -> Result:
    name = name or exercise
    handed = Handed(learner, exercise, name, points, 9, trouble="" if points else "no points; seen", **more)
    return Result(handed, f"{name}.ipynb", 0, changed)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


# --- a class as it comes


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class in a folder of its own, graded: a second copy, a platform's folder, a hidden failure, a roster."""
    folder = tmp_path_factory.mktemp("course")
    sent = folder / "submitted"
    dump(handed_in(SLUG, HIDDEN), sent / "kim" / SLUG / f"{SLUG}.ipynb")
    dump(release(SLUG), sent / "kim" / SLUG / f"{SLUG}-Copy1.ipynb")
    (sent / "kim" / SLUG / "timestamp.txt").write_text("2026-01-01")
    dump(release(OTHER), sent / "-lee" / SLUG / "work.ipynb")
    dump(release(SLUG), sent / "somebody" / "m2_1.ipynb")
    (sent / "kim" / ".ipynb_checkpoints").mkdir()
    (sent / "all.zip").touch()
    (folder / "roster.csv").write_text("Name;Student ID;E-Mail\nKim K;kim;k@x.org\nLee;-lee;\nNo One;=7;n@x.org\n")
    return folder


@pytest.fixture(scope="module")
def said(course: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("udock_lab.grading.lecturer._note", said.append)
        assert program.main(["grade", str(course / "submitted"), "--roster", str(course / "roster.csv")]) == 0
    return "\n".join(said)


def test_what_is_not_taken_is_told_file_by_file_with_the_reason(said: str) -> None:
    assert re.findall(r"^ignored: (.+)$", said, re.MULTILINE) == [
        "all.zip: it is no zip that can be read: download it again",
        "kim/.ipynb_checkpoints/: it is hidden",
        "somebody/m2_1.ipynb: "
        "a notebook is looked for in <learner>/<assignment>/, in the folder itself, or as a platform calls it",
    ]


def test_each_learner_has_one_line_and_who_handed_in_nothing_is_named(course: Path, said: str) -> None:
    found = {row["learner"]: row for row in rows(course / "graded" / "students.csv")}
    assert {name: (row["points"], row["out_of"], row["handed_in"]) for name, row in found.items()} == {
        "kim": (found["kim"]["points"], "19.0", "1"), "-lee": ("0.0", "19.0", "1"), "=7": ("0.0", "19.0", "0"),
    }  # fmt: skip
    assert 0 < float(found["kim"]["points"]) < 9
    assert (found["=7"]["name"], found["=7"]["email"]) == ("No One", "n@x.org")
    assert [row["remark"] for row in rows(course / "graded" / "grades.csv") if row["learner"] == "=7"] == [
        "handed in nothing"
    ]


def test_a_second_copy_adds_no_column_and_which_one_counts_is_told(course: Path, said: str) -> None:
    page = (course / "graded" / "class.html").read_text()
    told = f"2 handed in: {SLUG}.ipynb counts, not {SLUG}/{SLUG}-Copy1.ipynb (0 of 9)"
    assert told in page
    (own,) = [row for row in rows(course / "graded" / "grades.csv") if row["learner"] == "kim"]
    assert (own["exercise"], own["remark"]) == (SLUG, told)
    heads = re.findall(r'<th scope="col">([^<]+)</th>', page.split('id="learners"')[1])
    assert heads == ["learner", "total", "m2_1 process creation", "m2_3 container ids"]
    assert "does not count" in (course / "graded" / "kim" / "report.html").read_text()


def test_the_lecturer_reads_why_a_hidden_requirement_failed_and_the_learner_does_not(course: Path, said: str) -> None:
    told = "what was tried is not told"
    learners = (course / "graded" / "kim" / "report.html").read_text()
    lecturers = (course / "graded" / "lecturer" / "kim.html").read_text()
    assert told in learners and told not in lecturers
    assert "For the lecturer alone" in lecturers
    assert '<a class="why" href="lecturer/kim.html">hidden</a>' in (course / "graded" / "class.html").read_text()


def test_a_learners_folder_means_that_learner_of_the_class(course: Path, said: str, capsys: Any) -> None:
    before = rows(course / "graded" / "grades.csv")
    again = ["--roster", str(course / "roster.csv")]
    assert program.main(["grade", str(course / "submitted" / "kim" / SLUG), *again]) == 0
    assert "2 submissions of 1 learners" in capsys.readouterr().out
    assert rows(course / "graded" / "grades.csv") == before, "the others stay in the class"
    assert {path.name for path in (course / "submitted").iterdir()} >= {"kim", "-lee"}
    assert not (course / "submitted" / "graded").exists()
    assert program.main(["grade", str(course / "submitted"), "--only", "kin"]) == 1
    assert "Did you mean kim?" in capsys.readouterr().err


# --- who, and which exercise


def test_notebooks_side_by_side_are_of_whom_their_names_say(tmp_path: Path) -> None:
    names = ["kim", "kim-Copy1", f"lee_{SLUG}", f"lee-{OTHER}", f"{SLUG}_max (1)", SLUG, "ann (2)", "a.b"]
    for name in names:
        dump(release(SLUG), tmp_path / f"{name}.ipynb")
    found = {one.path.stem: one.learner for one in find_submissions(tmp_path)}
    assert found == {
        "kim": "kim", "kim-Copy1": "kim", f"lee_{SLUG}": "lee", f"lee-{OTHER}": "lee", f"{SLUG}_max (1)": "max",
        SLUG: SLUG, "ann (2)": "ann (2)", "a.b": "a.b",
    }  # fmt: skip


def test_an_exercise_is_known_by_its_cells_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = dump(release(OTHER), tmp_path / "kim" / SLUG / f"{SLUG}.ipynb")
    (sent,) = find_submissions(tmp_path)
    assert exercise_of(sent, path.read_bytes()) == OTHER
    tidied = b'{"cells": [{"source": "\\"grade_id\\": \\"m2_4_metadata\\""}]}'
    assert exercise_of(sent, tidied) == SLUG, "what a cell's text says is no name of a cell"
    assert without_checks(release(SLUG))["cells"]


def test_two_results_never_have_one_name(tmp_path: Path) -> None:
    for place in ("kim/a-b/a-b.ipynb", "kim/a/b.ipynb", "class/a/a.ipynb", "lecturer.ipynb"):
        dump(release(SLUG), tmp_path / place)
    found = [(one.learner, one.name) for one in find_submissions(tmp_path)]
    assert len(set(found)) == 4
    assert {learner for learner, _ in found} == {"kim", "class_", "lecturer_"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("submitted", ("submitted", "")),
        ("submitted/kim", ("submitted", "kim")),
        (f"submitted/kim/{SLUG}", ("submitted", "kim")),
        (f"submitted/kim/{SLUG}/{SLUG}-Copy1.ipynb", ("submitted", "kim")),
        (SLUG, (SLUG, "")),
    ],
)
def test_a_path_into_a_class_means_one_learner_of_it(tmp_path: Path, given: str, meant: tuple[str, str]) -> None:
    """A folder of the exercise's name with notebooks of other names is a class, side by side."""
    dump(release(SLUG), tmp_path / "submitted" / "kim" / SLUG / f"{SLUG}-Copy1.ipynb")
    dump(release(SLUG), tmp_path / SLUG / "kim.ipynb")
    folder, only = class_of(tmp_path / given)
    assert (folder, only) == (tmp_path / meant[0], meant[1])
    with pytest.raises(UsageError, match="is a file"):
        class_of(tmp_path / SLUG / "kim.ipynb")


def test_of_several_the_one_with_the_handouts_name_counts_then_the_newest() -> None:
    own = [
        result("kim", SLUG, 3, changed=1),
        result("kim", SLUG, 9, name=f"{SLUG}-Copy1", changed=9),
        result("kim", OTHER, 1, name="a", changed=2),
        result("kim", OTHER, 2, name="b", changed=1),
        result("kim", "", 0, name="odd"),
        result("kim", "", 0, name="odder"),
    ]
    assert [one.name for one, _ in counting(own)] == ["a", SLUG, "odd", "odder"]


# --- rosters and sheets


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("kim,Kim K,k@x.org\nlee\n", Enrolled("kim", "Kim K", "k@x.org")),
        ("\ufeffSurname,First name,Username\nKay,Kim,kim\n", Enrolled("kim", "Kim Kay", "")),
        ("name\tid\nKim\t-1+1\n", Enrolled("-1+1", "Kim", "")),
    ],
)
def test_a_roster_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str, first: Enrolled) -> None:
    (tmp_path / "list.csv").write_text(text)
    assert next(iter(read_roster(tmp_path / "list.csv").values())) == first
    (tmp_path / "list.csv").write_text("\n")
    with pytest.raises(UsageError, match="Nobody is in"):
        read_roster(tmp_path / "list.csv")


def test_ids_of_the_roster_are_unharmed_and_other_names_compute_nothing(tmp_path: Path) -> None:
    roster = {name: Enrolled(name) for name in ("=1+1", "-x")}
    ClassFiles(tmp_path, roster=roster).write([result("=1+1", SLUG, 9), result("=2+2", SLUG, 9)])
    assert [row["learner"] for row in rows(tmp_path / "students.csv")] == ["-x", "=1+1", "'=2+2"]


# --- pages


def test_what_a_cell_is_worth_in_the_table_is_what_its_card_says() -> None:
    work = Work(Handed("kim", SLUG, SLUG, 13.5, 20), [report(True, True, False)], earned=[(13.5, 20)])
    page = learner_page("kim", [work])
    assert page.count("13.5 of 20") == 3  # the table, the card, and the card's name for those who hear it
    assert "6.67 p" in page and "2 of 3" not in page


def test_a_large_class_is_in_pages_that_a_browser_shows_and_all_are_reached() -> None:
    failed = (Failed("a requirement", "a cause"), Failed("a secret one", hidden=True))
    pupils = [
        Pupil(f"learner{n:05}", "Some Name", handed=(Handed(f"learner{n:05}", SLUG, SLUG, n % 9, 9, failures=failed),))
        for n in range(2500)
    ]
    pages = dict(class_pages(pupils, waiting=3))
    assert len(pages) > 2
    assert max(len(page.encode()) for page in pages.values()) < 200_000
    rows_of_all = sum(page.count('<a class="why" href=') for page in pages.values())
    assert rows_of_all == 2500
    front = pages["class.html"]
    assert set(re.findall(r'href="(class/[^"]+)"', front)) == {path for path in pages if path != "class.html"}
    assert "3 of what was handed in are not judged yet." in front
    assert "a secret one <small>(hidden)</small>" in front
    last = pages[max(path for path in pages if path != "class.html")]
    assert "learner02499" in last and 'href="../learner02499/report.html"' in last


def test_pages_of_a_class_that_has_become_smaller_are_removed(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "learners-007.html").touch()
    ClassFiles(tmp_path).write([result("kim", SLUG, 9)])
    assert list((tmp_path / "class").iterdir()) == []
