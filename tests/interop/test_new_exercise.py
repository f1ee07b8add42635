"""``udock-lab new exercise``: what it writes is right as it stands, and travels every way that the seven travel."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from udock_lab import course as program

ROOT = Path(__file__).parents[2]
SLUG = "exit_status"
POINTS = {"right_plain": "4.0", "wrong_subprocess": "0.0", "wrong_zero_is_false": "2.0", "wrong_only_the_code": "3.0"}


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Type a command in that folder, with the programs of this environment."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        words, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=200
    )


def succeeds(folder: Path, *words: str) -> str:
    done = typed(folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with an own exercise, which is released and was handed in four times."""
    folder = tmp_path_factory.mktemp("author")
    succeeds(folder, "udock-lab", "new", "exercise", SLUG)
    succeeds(folder, "nbgrader", "generate_assignment", SLUG)
    for answer in sorted(folder.glob(f"exercises/{SLUG}/corpus/*.py")):
        notebook = json.loads((folder / "release" / SLUG / f"{SLUG}.ipynb").read_text())
        for cell in notebook["cells"]:
            if cell["metadata"]["nbgrader"]["solution"]:
                cell["source"] = answer.read_text()
        place = folder / "submitted" / answer.stem / SLUG / f"{SLUG}.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(notebook))
    return folder


def test_its_judge_is_right_about_one_right_and_three_wrong_answers(course: Path) -> None:
    said = succeeds(course, "udock-lab", "exercise", SLUG).splitlines()
    assert [line.split()[:2] for line in said] == [["ok", name] for name in sorted(POINTS)]


def test_called_as_in_the_guide_it_writes_the_files_that_the_guide_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert program.main(["new", "exercise", "ends_well", "--course", "my_course"]) == 0
    guide = (ROOT / "docs" / "write_an_exercise.md").read_text()
    shown = dict(re.findall(r"^`(my_course/[^`]+)`:\n\n```\w+\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL))
    written = {str(path.relative_to(tmp_path)) for path in Path("my_course").resolve().rglob("*.*") if path.is_file()}
    written = {name for name in written if "__pycache__" not in name}
    assert set(shown) - written == {"my_course/exercises/ends_well/bridges.py"}
    assert {name: (tmp_path / name).read_text() for name in set(shown) & written} == {
        name: text for name, text in shown.items() if name in written
    }
    settings = (tmp_path / "my_course" / "nbgrader_config.py").read_text()
    assert settings == (ROOT / "exercises" / "nbgrader_config.py").read_text()


def test_nbgrader_makes_a_release_without_solution_and_hidden_cells(course: Path) -> None:
    release = (course / "release" / SLUG / f"{SLUG}.ipynb").read_text()
    assert "waitpid" not in release
    assert "check_hidden" not in release
    assert f'score = check(\\"{SLUG}\\", {SLUG})' in release


def test_it_is_graded_in_parts_and_collected(course: Path) -> None:
    succeeds(course, "udock-lab", "grade", "submitted", "--shard", "0/1")
    succeeds(course, "udock-lab", "collect", "submitted")
    with open(course / "graded" / "grades.csv") as file:
        assert {row["learner"]: row["points"] for row in csv.DictReader(file)} == POINTS


def test_it_is_graded_by_nbgrader(course: Path) -> None:
    succeeds(course, "nbgrader", "autograde", SLUG, "--student", "wrong_only_the_code")
    (graded,) = course.glob(f"autograded/*/{SLUG}/{SLUG}.ipynb")
    outputs = [cell["outputs"] for cell in json.loads(graded.read_text())["cells"] if cell.get("outputs")]
    assert ["".join(one["data"]["text/plain"]) for (one,) in outputs] == ["3", "0"]


def test_the_learners_repository_has_it_without_its_solution_and_hidden_half(course: Path, tmp_path: Path) -> None:
    succeeds(tmp_path, "udock-lab", "release", "students", "--course", str(course))
    repository, mine = tmp_path / "students", f"lessons/exercises/{SLUG}/{SLUG}.ipynb"
    public = "".join(path.read_text() for path in course.glob(f"exercises/{SLUG}/*.py"))
    kept_back = [path for part in ("hidden", "corpus") for path in course.glob(f"exercises/{SLUG}/{part}/*.py")]
    lines = {line for path in kept_back for line in path.read_text().splitlines() if len(line) > 24}
    secret = {line for line in lines if line not in public}
    files = [path for path in (repository / mine).parent.rglob("*") if path.is_file()]
    assert len(secret) > 10 and (repository / mine) in files
    assert not [path for path in files for line in secret if line in path.read_text(errors="replace")]
    workflow = (repository / ".github" / "workflows" / "classroom.yml").read_text()
    assert f"--classroom lessons/exercises/m2_*/m2_*.ipynb {mine}\n" in workflow
    shutil.copy(course / "submitted" / "right_plain" / SLUG / f"{SLUG}.ipynb", repository / mine)
    assert f"{SLUG}.ipynb: 3 of 3 points" in succeeds(repository, "udock-lab", "check", mine)


def test_what_nbgrader_released_before_a_change_is_not_handed_out(course: Path, tmp_path: Path) -> None:
    shutil.copytree(course, tmp_path / "course")
    source = tmp_path / "course" / "source" / SLUG / f"{SLUG}.ipynb"
    os.utime(source)
    command = [sys.executable, "-m", "udock_lab.course", "release", "students", "--course", "course"]
    for words in ("is older than its source", "is not released yet"):
        done = typed(tmp_path, *command)
        assert done.returncode in (1, 2) and words in done.stderr and "generate_assignment" in done.stderr
        shutil.rmtree(tmp_path / "course" / "release", ignore_errors=True)
    assert not (tmp_path / "students").exists()


@pytest.mark.parametrize(
    "slug", ["Über uns", "../x", "ab", "", "class", "print", "number", "score", "exit_check", "a" * 41]
)
def test_a_name_that_cannot_be_one_is_refused_with_one_that_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], slug: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert program.main(["new", "exercise", slug]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 2 and ("udock-lab new exercise " in said or "Leave" in said)
    assert not list(tmp_path.iterdir())


def test_nothing_that_is_there_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "course.toml").write_text('# ours\n[exercises]  # own ones\nold = "exercises/old"\n[other]\nx = 1')
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert program.main(["new", "exercise", SLUG]) == 0
    text = (tmp_path / "course.toml").read_text()
    assert text == (
        f'# ours\n[exercises]  # own ones\n{SLUG} = "exercises/{SLUG}"\nold = "exercises/old"\n[other]\nx = 1'
    )
    for slug in (SLUG, "m2_1_process_creation"):
        assert program.main(["new", "exercise", slug]) == 1
        assert "already" in capsys.readouterr().err
    (tmp_path / "course.toml").write_text("exercises = {}\n")
    assert program.main(["new", "exercise", "another_one"]) == 2
    assert 'another_one = "exercises/another_one"' in capsys.readouterr().err
    assert not (tmp_path / "exercises" / "another_one").exists()
