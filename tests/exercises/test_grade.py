"""``udock-lab grade`` and ``udock-lab course``: the same points without a database, and a kill costs nothing."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from classroom import answer, dump, handed_in, release, with_extras, with_forgeries, without_checks
from harness import COURSE
from waiting import until

from udock_lab import course as program
from udock_lab.course import coursefolder
from udock_lab.display.pages.classroom import Handed
from udock_lab.grading.batch import Batch
from udock_lab.grading.lecturer import Progress
from udock_lab.grading.marks import Result, read_marks, reports_of
from udock_lab.grading.submissions import find_submissions
from udock_lab.linux.process import descendants

SLUG = "m2_1_process_creation"
OTHER = "m2_2_chroot_permissions"
RAW = answer(SLUG, "wrong_raw_status")
NOT_WRITTEN = "def launch(argv):\n    raise NotImplementedError"


def udock_lab(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "udock_lab.course", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "grades.csv").open() as file:
        return {row["learner"]: row for row in csv.DictReader(file)}


def hand_in(folder: Path, learner: str, notebook: Any) -> Path:
    return dump(notebook, folder / learner / SLUG / f"{SLUG}.ipynb")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A small class in a folder of its own."""
    folder = tmp_path_factory.mktemp("class")
    sent = folder / "submitted"
    hand_in(sent, "raw", handed_in(SLUG, RAW))
    hand_in(sent, "forged", with_forgeries(handed_in(SLUG, RAW)))
    hand_in(sent, "<b>tidy", without_checks(handed_in(SLUG, RAW)))
    hand_in(sent, "extras", with_extras(handed_in(SLUG, RAW)))
    hand_in(sent, "untouched", release(SLUG))
    hand_in(sent, "broken", "{not a notebook")
    hand_in(sent, "no_cells", {"cells": [1, 2]})
    return folder, udock_lab("grade", sent, "--jobs", "2")


def test_points_come_from_the_handout_and_not_from_the_submission(graded: Any) -> None:
    folder, done = graded
    assert done.returncode == 0, done.stderr
    found = rows(folder / "graded")
    same = {learner: (found[learner]["points"], found[learner]["out_of"]) for learner in found}
    assert {same[learner] for learner in ("raw", "forged", "<b>tidy", "extras")} == {("3.0", "9.0")}
    assert (same["untouched"], same["broken"], same["no_cells"]) == (("0.0", "9.0"),) * 3
    assert "is not a notebook" in found["broken"]["remark"]


def test_each_learner_gets_a_page_that_is_escaped_and_quotes_nothing_hidden(graded: Any) -> None:
    folder, _ = graded
    page = (folder / "graded" / "raw" / "report.html").read_text()
    assert "the raw wait status taken for the exit code" in page
    assert "UDOCK_TOKEN" not in page
    assert "<script" not in page
    assert "&lt;b&gt;tidy" in next((folder / "graded").glob("*tidy*/**/report.html")).read_text()
    assert "is not a notebook" in (folder / "graded" / "broken" / "report.html").read_text()


def test_the_class_stands_on_one_page_whose_links_lead_to_the_reports(graded: Any) -> None:
    folder, done = graded
    page = (folder / "graded" / "class.html").read_text()
    assert f"The class at a glance: {folder}/graded/class.html" in done.stdout
    assert "7 submissions of 7 learners." in page
    assert "&lt;b&gt;tidy" in page
    assert "<b>tidy" not in page
    assert "not judged: m2_1_process_creation.ipynb is not a notebook" in page
    assert "no points; launch is not written yet." in page
    assert "4 of 7" in page  # the raw status, and what it looks like
    assert "the raw wait status taken for the exit code" in page
    for target in re.findall(r'href="([^"]+)"', page):
        path, _, anchor = unquote(target).partition("#")
        assert not anchor or f'id="{anchor}"' in (folder / "graded" / path).read_text(), target


def test_without_a_terminal_progress_is_plain_lines(graded: Any) -> None:
    _, done = graded
    lines = done.stderr.splitlines()
    assert len(lines) == 7
    assert lines[-1].startswith("7 of 7  ")
    assert "\r" not in done.stderr
    assert "7 submissions of 7 learners" in done.stdout


def test_what_has_not_changed_is_not_judged_again(graded: Any) -> None:
    folder, _ = graded
    hand_in(folder / "submitted", "untouched", handed_in(SLUG, NOT_WRITTEN))
    done = udock_lab("grade", folder / "submitted")
    assert "(4 kept from before)" in done.stdout  # all but the changed one and the two that cannot be read


def test_what_another_python_judged_is_judged_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer one reads what an older one took for a syntax error."""
    hand_in(tmp_path, "kim", handed_in(SLUG, NOT_WRITTEN))
    (sent,) = find_submissions(tmp_path)
    Batch(out=tmp_path / "out", course=None).grade([sent], 1, lambda result: None)
    assert Batch(out=tmp_path / "out", course=None).kept(sent)
    monkeypatch.setattr(sys, "version_info", (3, 99))
    assert Batch(out=tmp_path / "out", course=None).kept(sent) is None


def test_names_and_files_of_any_kind_stop_nobody_and_lead_nowhere_else(tmp_path: Path) -> None:
    """What a learning platform may unpack: names that are no text, links, pipes, names of our own files."""
    sent = tmp_path / "course" / "submitted"
    odd = [os.fsdecode(b"\xff\xfe"), "new\nline", "\x1b[31mred", "=1+1", "grades.csv", "x" * 250]
    for learner in odd:
        hand_in(sent, learner, handed_in(SLUG, NOT_WRITTEN))
    kim = hand_in(sent, "kim", handed_in(SLUG, RAW))
    for learner, target in (("linked", kim), ("dangling", tmp_path / "nowhere"), ("passwd", Path("/etc/passwd"))):
        (sent / learner / SLUG).mkdir(parents=True)
        (sent / learner / SLUG / f"{SLUG}.ipynb").symlink_to(target)
    (sent / "folder_of_kim").symlink_to(sent / "kim")
    (sent / "pipe" / SLUG).mkdir(parents=True)
    os.mkfifo(sent / "pipe" / SLUG / f"{SLUG}.ipynb")
    dump(handed_in(SLUG, RAW), sent / "...ipynb")
    long = dump(handed_in(SLUG, RAW), sent / "long" / SLUG / f"{'n' * 240}.ipynb")

    done = udock_lab("grade", sent, "--jobs", "2")

    assert done.returncode == 0, done.stderr
    assert not {line for line in done.stderr.splitlines() + done.stdout.splitlines() if not line.isprintable()}
    found = rows(tmp_path / "course" / "graded")
    assert len(found) == len(odd) + 7
    assert {name: row["points"] for name, row in found.items() if float(row["points"])} == {"kim": "3.0", "long": "3.0"}
    assert {"'=1+1", "grades.csv_", "new\\nline"} <= set(found)
    assert {found[name]["remark"] for name in ("linked", "passwd", "folder_of_kim")} == {
        f"{SLUG}.ipynb is a link, perhaps to somebody else's file."
    }
    assert "no ordinary file" in found["pipe"]["remark"]
    assert {path.name for path in (tmp_path / "course").iterdir()} == {"submitted", "graded"}
    assert long.name not in {path.name for path in (tmp_path / "course" / "graded" / "long").iterdir()}


def test_results_that_cannot_be_written_end_the_class_with_what_to_do(tmp_path: Path) -> None:
    for learner in ("kim", "lee", "max"):
        hand_in(tmp_path / "submitted", learner, handed_in(SLUG, NOT_WRITTEN))
    (tmp_path / "graded").mkdir()
    (tmp_path / "graded" / "lee").touch()
    done = udock_lab("grade", tmp_path / "submitted", "--jobs", "1")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "the same command goes on from there" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "graded" / "lee").unlink()
    done = udock_lab("grade", tmp_path / "submitted", "--jobs", "1")
    assert "(1 kept from before)" in done.stdout
    assert len(rows(tmp_path / "graded")) == 3


def test_two_graders_of_one_class_are_not_in_each_others_way(tmp_path: Path) -> None:
    for number in range(4):
        hand_in(tmp_path / "submitted", f"learner{number}", handed_in(SLUG, f"# {number}\n{NOT_WRITTEN}"))
    command = [sys.executable, "-m", "udock_lab.course", "grade", str(tmp_path / "submitted"), "--jobs", "1"]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(200) for one in both] == [0, 0]
    assert len(rows(tmp_path / "graded")) == 4
    assert list((tmp_path / "graded").glob("**/.*")) == []


def test_a_kill_costs_only_what_was_being_judged(tmp_path: Path) -> None:
    for number in range(6):
        hand_in(tmp_path / "submitted", f"learner{number}", handed_in(SLUG, f"# {number}\n{RAW}"))
    command = [sys.executable, "-m", "udock_lab.course", "grade", str(tmp_path / "submitted"), "--jobs", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline().startswith("1 of 6")
        running.kill()
    whole = [json.loads(path.read_text()) for path in (tmp_path / "graded").glob("*/*.json")]
    assert 1 <= len(whole) < 6
    done = udock_lab("grade", tmp_path / "submitted")
    assert f"({len(whole)} kept from before)" in done.stdout
    assert {row["points"] for row in rows(tmp_path / "graded").values()} == {"3.0"}
    assert list((tmp_path / "graded").glob("*/.*")) == []


def runners_below(pid: int) -> list[int]:
    """The processes below that run what was handed in."""
    found = []
    for below in descendants(pid):
        with suppress(OSError):
            if b"udock_lab.sandbox.runner" in Path(f"/proc/{below}/cmdline").read_bytes():
                found.append(below)
    return found


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(tmp_path: Path) -> None:
    loop = "def launch(argv):\n    while True: pass"
    for number in range(4):
        hand_in(tmp_path / "submitted", f"learner{number}", handed_in(SLUG, f"# {number}\n{loop}"))
    # A job in the background of a shell ignores SIGINT, and so would all that it starts.
    heard = (
        "import signal; signal.signal(2, signal.default_int_handler); from udock_lab.course import command; command()"
    )
    command = [sys.executable, "-c", heard, "grade", str(tmp_path / "submitted"), "--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert until(lambda: runners_below(running.pid), 60)  # it judges
        os.killpg(running.pid, signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "the same command goes on from there" in said
    assert "Traceback" not in said
    assert {row["remark"] for row in rows(tmp_path / "graded").values()} == {"not judged yet"}
    page = (tmp_path / "graded" / "class.html").read_text()
    assert "4 of what was handed in are not judged yet." in page


def test_notebooks_side_by_side_are_one_learner_each(tmp_path: Path) -> None:
    dump(handed_in(SLUG, NOT_WRITTEN), tmp_path / "flat" / "kim.ipynb")
    dump(handed_in(SLUG, RAW), tmp_path / "flat" / "lee.ipynb")
    assert udock_lab("grade", tmp_path / "flat", "--out", tmp_path / "out").returncode == 0
    assert {learner: row["points"] for learner, row in rows(tmp_path / "out").items()} == {"kim": "0.0", "lee": "3.0"}


def test_without_a_course_folder_the_hidden_half_is_left_out_and_that_is_said(tmp_path: Path) -> None:
    hand_in(tmp_path, "kim", handed_in(SLUG, RAW))
    batch = Batch(out=tmp_path / "out", course=None)
    (result,) = batch.grade(find_submissions(tmp_path), 1, lambda result: None)
    assert (result.handed.points, result.handed.out_of) == (2.0, 7.0)
    marks = read_marks(batch.place(find_submissions(tmp_path)[0]))
    assert marks and [report.points for report in reports_of(marks)] == [2.0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grade", "nowhere"), "There is no folder nowhere."),
        (("grade", "."), "There is no submission in ."),
        (("grade", ".", "--jobs", "0"), "--jobs 0: at least one is needed."),
        (("grade", "one", "--course", "nowhere"), "nowhere is no course folder"),
        (("grade", "one", "--out", "file"), "file is a file"),
        (("grade", "one", "--out", "one"), "Results and submissions would lie in one folder."),
        (("course", "one"), "one is not empty."),
        (("course", "file"), "file is a file."),
    ],
)
def test_a_mistake_is_told_with_what_to_type_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: Any, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    dump(release(SLUG), tmp_path / "one" / "kim.ipynb")
    (tmp_path / "file").touch()
    assert program.main(words) in (1, 2)
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") >= 2


def test_on_a_terminal_progress_is_a_bar_on_one_line() -> None:
    class Terminal:
        said = ""

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> None:
            self.said += text

        def flush(self) -> None:
            pass

    terminal = Terminal()
    progress = Progress(2, terminal)  # type: ignore[arg-type]
    progress.step(Result(Handed("kim", SLUG, SLUG, 3, 9), "x", 0))
    progress.end()
    assert "[###############...............] 1 of 2" in terminal.said
    assert terminal.said.count("\n") == 1


def test_a_course_folder_is_ready_for_nbgrader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["course", str(tmp_path / "course")]) == 0
    made = {path.name for path in (tmp_path / "course").iterdir()}
    assert made == {
        "source", "release", "instructor", "submitted", "nbgrader_config.py", "README.md", ".gitignore",
        ".udock-course.json",
    }  # fmt: skip
    assert (tmp_path / "course" / "nbgrader_config.py").read_text() == (COURSE / "nbgrader_config.py").read_text()
    assert str(tmp_path / "course" / "release") in capsys.readouterr().out


def test_a_course_folder_gets_what_is_new_and_keeps_what_the_lecturer_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clone, course = tmp_path / "exercises", tmp_path / "course"
    clone.mkdir()
    for name in ("source", "release", "instructor", "nbgrader_config.py", "README.md", ".gitignore"):
        copy = shutil.copytree if (COURSE / name).is_dir() else shutil.copy
        copy(COURSE / name, clone / name)
    monkeypatch.setattr(coursefolder, "_OURS", clone)
    assert program.main(["course", str(course)]) == 0
    mine, handout = f"source/{SLUG}/{SLUG}.ipynb", f"release/{SLUG}/{SLUG}.ipynb"
    hand_in(course / "submitted", "kim", handed_in(SLUG, RAW))
    (course / mine).write_text("of the lecturer's own")
    (course / "README.md").write_text("of the lecturer's own")
    for name in (mine, handout, f"source/{OTHER}/{OTHER}.ipynb"):
        (clone / name).write_text("newer")
    capsys.readouterr()
    assert program.main(["course", str(course)]) == 0
    said = capsys.readouterr().out
    assert f"2 files updated, 2 of yours kept as they are; there is a newer version: newer/{mine} beside" in said
    assert f"nbgrader generate_assignment --force {OTHER}\n" in said
    assert (course / mine).read_text() == (course / "README.md").read_text() == "of the lecturer's own"
    assert (course / f"newer/{mine}").read_text() == (course / handout).read_text() == "newer"
    assert len([*(course / "source" / SLUG).iterdir()]) == 1  # nbgrader takes every notebook there for a part of it
    assert [path.name for path in (course / "submitted").iterdir()] == ["kim"]
    (course / mine).write_text("newer")
    assert program.main(["course", str(course)]) == 0
    assert not (course / f"newer/{mine}").exists()


def test_an_installation_without_sources_says_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coursefolder, "_OURS", tmp_path / "exercises")
    assert program.main(["course", str(tmp_path / "course")]) == 1
    assert "clone of the repository" in capsys.readouterr().err
    assert not (tmp_path / "course").exists()
