"""docs/write_an_exercise.md, followed to the letter: its files, its commands, then a class that hands in."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from udock_lab.errors import NotFound, UsageError
from udock_lab.grading import Submission, judge
from udock_lab.grading.checking import on_the_bridge
from udock_lab.grading.reproducing import cell_for, offered
from udock_lab.grading.sources import exercise, slugs
from udock_lab.sandbox import run

GUIDE = (Path(__file__).parents[2] / "docs" / "write_an_exercise.md").read_text()
FILE = re.compile(r"^`(my_course/[^`]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course folder that the guide makes, before any command is typed."""
    place = tmp_path_factory.mktemp("author")
    for name, text in FILE.findall(GUIDE):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place / "my_course"


def typed(course: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Type a line of the guide in a shell, where this package's programs are found."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=course,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_the_guide_followed_to_the_letter_ends_with_graded_submissions(course: Path) -> None:
    first, second, third = (block.strip() for block in COMMANDS.findall(GUIDE))
    corpus = typed(course.parent, first)
    assert corpus.returncode == 0, corpus.stdout + corpus.stderr
    assert [line.split()[0] for line in corpus.stdout.splitlines()] == ["ok"] * 4
    assert "right_plain                     4 of 4 points" in corpus.stdout
    written = typed(course, second)
    assert written.returncode == 0, written.stderr
    source = course / "source" / "ends_well" / "ends_well.ipynb"
    hand_in(course, source)
    graded = typed(course, third)
    assert graded.returncode == 0, graded.stdout + graded.stderr
    with open(course / "graded" / "grades.csv") as file:
        points = {row["learner"]: (row["points"], row["out_of"]) for row in csv.DictReader(file)}
    assert points == {"right_plain": ("4.0", "4.0"), "wrong_subprocess": ("0.0", "4.0"),
                      "wrong_zero_is_false": ("2.0", "4.0"), "wrong_only_the_code": ("3.0", "4.0")}  # fmt: skip


def hand_in(course: Path, source: Path) -> None:
    """Put a submission for each answer of the corpus where the guide says."""
    for answer in sorted((course / "exercises" / "ends_well" / "corpus").glob("*.py")):
        notebook = json.loads(source.read_text())
        for cell in notebook["cells"]:
            if cell["metadata"]["nbgrader"]["solution"]:
                cell["source"] = answer.read_text()
        place = course / "submitted" / answer.stem / "ends_well" / "ends_well.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(notebook))


def test_a_learner_s_check_finds_the_exercise_of_the_course_folder_above_the_notebook(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = course / "release" / "ends_well"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert "ends_well" in slugs()
    answer = (course / "exercises" / "ends_well" / "corpus" / "right_plain.py").read_text()
    assert judge(exercise("ends_well"), Submission(source=answer), at_once=2).points == 3


def test_a_failure_of_the_guide_s_exercise_is_reproduced_with_the_learner_s_function(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course)
    source = (course / "exercises" / "ends_well" / "corpus" / "wrong_zero_is_false.py").read_text()
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(source, names)
    answer = {"ends_well": names["ends_well"]}
    made, submission = exercise("ends_well"), Submission(functions=answer)
    offered(made, submission, judge(made, submission, at_once=2))
    head, _, program = cell_for("2", names).partition("\n")
    assert head == "%%sandbox --trace"
    assert program.endswith('number = 0\nprint(ends_well(["/bin/sh", "-c", f"exit {number}"]))')
    assert run(program, names=answer, watch=False).stdout == "False\n"
    assert run(program, names={"ends_well": lambda argv: True}, watch=False).stdout == "True\n"


def test_the_guide_s_bridge_is_judged_for_the_requirement_that_it_names(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(course)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec((course / "exercises" / "ends_well" / "corpus" / "right_plain.py").read_text(), names)
    report = on_the_bridge("ends_well", [names["ends_well"]], "complete").report
    assert [(one.requirement.key, one.passed) for one in report.judgements] == [("runs", True)]
    assert report.title == "Bridge, complete it: started"


def test_an_exercise_of_an_installed_package_is_found_by_its_entry_point(course: Path, tmp_path: Path) -> None:
    package = tmp_path / "site" / "my_package" / "ends_well"
    package.mkdir(parents=True)
    for path in (course / "exercises" / "ends_well").glob("*.py"):
        (package / path.name).write_text(path.read_text())
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    facts = tmp_path / "site" / "my_package-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[udock_lab.exercises]\nends_well = my_package.ends_well\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "from udock_lab.grading.sources import exercise, slugs\n"
        "print(slugs()[-1], exercise('ends_well').title)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout == "ends_well ends_well(argv): did it go well?\n", done.stderr


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('key="code"', 'key="runs"', "two requirements have the key 'runs'"),
        ('key="code"', 'key="codes"', "no story judges 'codes'"),
    ],
)
def test_an_exercise_that_contradicts_itself_says_where(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, complaint: str
) -> None:
    place = tmp_path / "torn"
    place.mkdir()
    for path in (course / "exercises" / "ends_well").glob("*.py"):
        (place / path.name).write_text(path.read_text().replace(old, new, 1))
    (tmp_path / "course.toml").write_text('[exercises]\ntorn = "torn"\nempty = "."\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=complaint):
        exercise("torn")
    with pytest.raises(UsageError, match=r"is no exercise: it has no requirements\.py"):
        exercise("empty")
    with pytest.raises(NotFound, match="Did you mean 'torn'"):
        exercise("torm")


@pytest.mark.parametrize("text", ["[exercises", "[exercises]\nx = 1\n", "exercises = 3\n"])
def test_a_course_file_that_says_something_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "course.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"course\.toml"):
        slugs()
