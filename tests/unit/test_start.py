"""``udock-lab start``: the course arrives without answers, and no start ever takes a learner's work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from udock_lab import course
from udock_lab.course import lay_out, layout, main, without_outputs

ROOT = Path(__file__).resolve().parents[2]
LESSON = "m2_1b_exec_and_wait.ipynb"
Publish = Callable[..., None]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Set what the course consists of: ``publish(name=text)``; a notebook's text becomes its one cell."""
    sources = tmp_path / "sources"

    def publish(**files: str) -> None:
        for stem, text in files.items():
            cell = {"cell_type": "code", "source": [text], "outputs": [{"answer": 42}], "execution_count": 3}
            sources.mkdir(exist_ok=True)
            (sources / f"{stem}.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))

    monkeypatch.setattr(layout, "course_folders", lambda: [(sources, "")])
    return publish


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "a learner's folder"


def said(target: Path) -> str:
    return str(lay_out(target))


def start(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "udock_lab.course", "start", *words]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=60)


# --- what arrives


def test_the_whole_course_arrives_with_its_c_twins_and_without_one_output(target: Path) -> None:
    lay_out(target)
    lessons = sorted(path.name for path in target.glob("*.ipynb"))
    assert lessons == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert (target / "c/m2_1a_fork.c").read_bytes() == (ROOT / "notebooks/c/m2_1a_fork.c").read_bytes()
    for path in target.rglob("*.ipynb"):
        cells = json.loads(path.read_text())["cells"]
        assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == [], path


def test_every_link_between_files_of_the_course_leads_somewhere(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from check_notebooks import text_problems

    lay_out(target)
    for path in target.rglob("*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            if cell["cell_type"] == "markdown":
                assert text_problems("".join(cell["source"]), path) == [], path


def test_stripping_outputs_changes_nothing_else() -> None:
    before = json.loads((ROOT / "notebooks" / LESSON).read_text())
    after = json.loads(without_outputs((ROOT / "notebooks" / LESSON).read_bytes()))
    for cell in before["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    assert after == before


@pytest.mark.parametrize("place", ["course_files/exercises", "../exercises/release"])
def test_released_exercises_arrive_in_a_folder_of_their_own(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """From a wheel, which carries them in the package, and from the sources, which have them beside it."""
    package = tmp_path / "site" / "udock_lab"
    released = package / place / "m2_4_metadata"
    package.mkdir(parents=True)
    released.mkdir(parents=True)
    (released / "m2_4_metadata.ipynb").write_text('{"cells": []}')
    (released / ".hidden").touch()
    monkeypatch.setattr(layout, "_PACKAGE", package)
    assert lay_out(target).added == ["exercises/m2_4_metadata/m2_4_metadata.ipynb"]


# --- what a later start does


def test_a_second_start_says_that_everything_was_there_and_touches_no_file(publish: Publish, target: Path) -> None:
    publish(a="one", b="two")
    assert said(target) == "2 files added"
    times = {path: path.stat().st_mtime_ns for path in target.iterdir()}
    assert said(target) == "everything was there"
    assert {path: path.stat().st_mtime_ns for path in target.iterdir()} == times


def test_an_older_copy_that_nobody_changed_is_updated_and_a_lost_file_comes_back(
    publish: Publish, target: Path
) -> None:
    publish(a="one", b="two")
    lay_out(target)
    publish(a="one, better")
    (target / "b.ipynb").unlink()
    assert said(target) == "1 file added, 1 file updated"
    assert "better" in (target / "a.ipynb").read_text()


def test_changed_work_is_kept_and_a_newer_version_lies_beside_it_once(publish: Publish, target: Path) -> None:
    publish(a="one")
    lay_out(target)
    (target / "a.ipynb").write_text("my work")
    assert said(target) == "1 of yours kept as it is"
    publish(a="one, better")
    newer = "1 of yours kept as it is; there is a newer version: a.new.ipynb beside your a.ipynb"
    assert said(target) == newer
    assert (target / "a.ipynb").read_text() == "my work"
    (target / "a.new.ipynb").unlink()
    assert said(target) == "1 of yours kept as it is"
    assert not (target / "a.new.ipynb").exists()


def test_a_newer_version_that_was_worked_on_is_not_overwritten_either(publish: Publish, target: Path) -> None:
    publish(a="one")
    lay_out(target)
    for number, name in ((2, "a.ipynb"), (3, "a.new.ipynb")):
        (target / name).write_text("my work")
        publish(a=f"version {number}")
        lay_out(target)
    assert [(target / name).read_text() for name in ("a.ipynb", "a.new.ipynb")] == ["my work", "my work"]
    assert "version 3" in (target / "a.new2.ipynb").read_text()


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"files": 3}', b"\xff"])
def test_with_a_damaged_list_nothing_is_replaced(publish: Publish, target: Path, damage: bytes) -> None:
    publish(a="one", b="two")
    lay_out(target)
    (target / course.MANIFEST).write_bytes(damage)
    publish(a="one, better")
    assert "a.new.ipynb beside your a.ipynb" in said(target)
    assert "better" not in (target / "a.ipynb").read_text()


# --- odd targets


def test_foreign_files_are_left_alone_also_those_with_a_lesson_s_name(publish: Publish, target: Path) -> None:
    publish(a="one", b="two")
    target.mkdir()
    (target / "thesis.tex").write_text("years")
    (target / "a.ipynb").write_text("mine")
    (target / "b.ipynb").mkdir()
    lay_out(target)
    assert (target / "thesis.tex").read_text() == "years"
    assert (target / "a.ipynb").read_text() == "mine"
    assert sorted(path.name for path in target.iterdir()) == [
        ".udock-lab.json", "a.ipynb", "a.new.ipynb", "b.ipynb", "b.new.ipynb", "thesis.tex",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [["start", ""], ["start", "/etc/passwd"], ["start", "/proc/nowhere"]])
def test_a_target_that_cannot_be_is_refused_with_what_to_type(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--no-lab"]) in (1, 2)
    error = capsys.readouterr().err
    assert "udock-lab start" in error
    assert "Traceback" not in error


def test_a_folder_without_permission_is_refused_and_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    tmp_path.chmod(0o755)
    command = [
        sys.executable,
        str(ROOT / "scripts/with_privilege.py"),
        "user",
        sys.executable,
        "-m",
        "udock_lab.course",
    ]
    done = subprocess.run([*command, "start", str(closed), "--no-lab"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode == 77:
        pytest.skip(f"needs privilege: {done.stderr}")
    assert done.returncode == 1
    assert done.stderr.startswith("udock-lab: ")
    assert "Permission denied" in done.stderr
    assert list(closed.iterdir()) == []


def test_two_lines_say_what_start_did_and_the_image_is_made(target: Path, home: Path) -> None:
    done = start(str(target), "--no-lab")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{target}: ") and first.endswith(" added.")
    assert second == "Image: demo is ready."
    assert (home / "images.db").exists()


def test_a_home_that_cannot_be_made_is_said_and_the_lessons_are_there_all_the_same(target: Path) -> None:
    done = start(str(target), "--no-lab", MDOCK_HOME="/proc/nowhere")
    assert done.returncode == 0, done.stderr
    assert "demo could not be made" in done.stdout
    assert (target / LESSON).exists()


# --- the program


def test_without_a_command_the_help_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "start" in capsys.readouterr().err


def test_help_and_version_import_nothing_heavy() -> None:
    heavy = "{'IPython', 'ipywidgets', 'jupyterlab', 'psutil', 'numpy', 'nbformat'}"
    code = f"import sys; from udock_lab.course import main; main(['version']); assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
