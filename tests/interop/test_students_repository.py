"""``udock-lab release``: learners get a repository in which nothing is that they should find out, and keep it up to date."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = ("instructor", "udock_hidden", "exercises/source", "tests/", "corpus/", "BEGIN SOLUTION", "BEGIN HIDDEN")
SHORTEST = 24  # what is as short may stand anywhere


def released(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "udock_lab.course", "release", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was made in a clone of an empty repository, and committed."""
    folder = tmp_path_factory.mktemp("students") / "containers"
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", "git@github.com:school/containers.git")
    done = released(folder)
    assert (done.returncode, done.stderr) == (0, ""), done
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "The course")
    return folder


@pytest.fixture(scope="module")
def contents(repository: Path) -> dict[str, str]:
    """The text of every file in it, those in its wheel included."""
    found = {str(path.relative_to(repository)): path for path in repository.rglob("*") if path.is_file()}
    texts = {name: path.read_text(errors="replace") for name, path in found.items() if not name.startswith(".git/")}
    (wheel,) = repository.glob("wheels/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        texts.update((f"wheel/{name}", archive.read(name).decode(errors="replace")) for name in archive.namelist())
    return texts


def secrets() -> set[str]:
    """The lines of every solution, and of the hidden half, which stand nowhere in what learners may read."""
    lines: set[str] = set()
    public = ""
    marked = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END", re.S)
    for path in ROOT.glob("exercises/source/*/*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            text = "".join(cell["source"])
            lines |= {line for part in marked.findall(text) for line in part.splitlines()}
            public += marked.sub("", text)  # a bridge has lines that a solution may have, too
    for path in ROOT.glob("exercises/instructor/udock_hidden/**/*.py"):
        lines |= set(path.read_text().splitlines())
    public += "\n".join(
        path.read_text() for pattern in ("udock_lab/**/*.py", "notebooks/*.ipynb") for path in ROOT.glob(pattern)
    )
    return {line.strip() for line in lines if len(line.strip()) >= SHORTEST and line.strip() not in public}


def test_no_solution_and_nothing_of_the_hidden_half_is_in_it_or_in_its_wheel(contents: dict[str, str]) -> None:
    hidden = secrets()
    assert len(hidden) > 300
    for name, text in contents.items():
        assert not [word for word in FORBIDDEN if word in name], name
        assert not (name.endswith(".ipynb") and [word for word in FORBIDDEN if word in text]), name
        assert not [line for line in hidden if line in text], name


def test_lessons_and_exercises_are_there_as_start_lays_them_out_and_not_run(contents: dict[str, str]) -> None:
    lessons = [path.name for path in (ROOT / "notebooks").glob("*.ipynb")]
    exercises = [path.name for path in ROOT.glob("exercises/release/*/*.ipynb")]
    notebooks = {name for name in contents if name.endswith(".ipynb") and not name.startswith("wheel/")}
    assert notebooks == {f"lessons/{name}" for name in lessons} | {
        f"lessons/exercises/{name.removesuffix('.ipynb')}/{name}" for name in exercises
    }
    for name in notebooks:
        assert not any(cell.get("outputs") for cell in json.loads(contents[name])["cells"])


def test_binder_codespace_and_classroom_find_what_they_look_for(repository: Path, contents: dict[str, str]) -> None:
    requirement = contents["binder/requirements.txt"].strip()
    assert (repository / requirement).is_file()
    assert (repository / "binder/postBuild").stat().st_mode & 0o111
    container = json.loads(contents[".devcontainer/devcontainer.json"])
    subprocess.run(["bash", "-n"], input=container["postCreateCommand"], text=True, check=True)
    workflow = yaml.safe_load(contents[".github/workflows/classroom.yml"])
    assert workflow["env"] == {"UDOCK_LAB": requirement}
    (judge,) = (step for step in workflow["jobs"]["run-autograding-tests"]["steps"] if step.get("id") == "exercises")
    assert len(list(repository.glob(judge["run"].split()[-1]))) == 7
    readme = contents["README.md"]
    assert "mybinder.org/v2/gh/school/containers/HEAD" in readme and "codespaces.new/school/containers" in readme
    assert "{" not in readme and requirement in readme


def test_the_docs_show_the_workflow_that_is_written() -> None:
    written = (ROOT / "exercises/students/.github/workflows/classroom.yml").read_text()
    assert written.replace("{wheel}", "udock-lab") in (ROOT / "docs/github_classroom.md").read_text()


def test_again_it_changes_nothing_and_leaves_a_lecturers_changes_alone(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository, tmp_path / "containers")
    repository = tmp_path / "containers"
    manifest = repository / ".udock-release.json"
    known = json.loads(manifest.read_text())
    (repository / "wheels/udock_lab-0.0.1-py3-none-any.whl").write_text("old")
    known["files"]["wheels/udock_lab-0.0.1-py3-none-any.whl"] = hashlib.sha256(b"old").hexdigest()
    manifest.write_text(json.dumps(known))
    (repository / "README.md").write_text("# Our own course\n")
    (repository / "lessons/m2_1a_fork.ipynb").write_text('{"cells": []}')
    (repository / "timetable.md").write_text("Monday\n")
    done = released(repository)
    assert done.returncode == 0
    assert "README.md of yours is kept" in done.stdout and "1 of yours kept" in done.stdout
    changed = {line[3:] for line in git(repository, "status", "--porcelain").splitlines()}
    assert changed == {"README.md", "lessons/m2_1a_fork.ipynb", "timetable.md"}
    assert (repository / "README.md").read_text() == "# Our own course\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([ROOT], "has the solutions"),
        ([ROOT / "README.md"], "is a file"),
        (["{new}", "--repository", "https://example.com"], "is no name on GitHub"),
    ],
)
def test_a_wrong_place_is_refused_and_nothing_is_written(tmp_path: Path, words: list[str | Path], says: str) -> None:
    done = released(*(str(word).format(new=tmp_path / "new") for word in words))
    assert done.returncode in (1, 2) and says in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()
