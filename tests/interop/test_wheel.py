"""What is built is what a learner installs: the course in it, no solution, no hidden requirement, no test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from served_lab import first_page, serving, settings_of_nobody

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))
RELEASED = sorted(
    str(path.relative_to(ROOT / "exercises/release")) for path in (ROOT / "exercises/release").rglob("*.ipynb")
)
FORBIDDEN = ("instructor", "udock_hidden", "exercises/source", "tests/", "BEGIN SOLUTION", "BEGIN HIDDEN")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built from a copy of the sources (the wheel from the sdist)."""
    place = tmp_path_factory.mktemp("build")
    sources = place / "sources"
    skip = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", "artefacts", "results")
    shutil.copytree(ROOT, sources, ignore=skip)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place / "dist"), str(sources)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return place / "dist"


def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


def test_the_wheel_carries_every_lesson_and_every_released_exercise(built: Path) -> None:
    names = set(zipfile.ZipFile(wheel(built)).namelist())
    carried = "udock_lab/course_files"
    assert {f"{carried}/notebooks/{lesson}" for lesson in LESSONS} <= names
    assert {f"{carried}/exercises/{exercise}" for exercise in RELEASED} <= names
    kept = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "udock_lab").rglob("*")
        if path.suffix in (".css", ".html", ".js", ".json")
    }
    assert kept <= names


def test_no_solution_hidden_requirement_or_test_is_built_in(built: Path) -> None:
    with zipfile.ZipFile(wheel(built)) as archive:
        contents = {name: archive.read(name).decode(errors="replace") for name in archive.namelist()}
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        contents |= dict.fromkeys(archive.getnames(), "")
    for name, text in contents.items():
        assert not [word for word in FORBIDDEN if word in name], name
        assert not (name.endswith(".ipynb") and [word for word in FORBIDDEN if word in text]), name


def installed(built: Path, folder: Path, *options: str) -> Path:
    """The wheel in an environment of its own; its ``bin``."""
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin/pip", "install", "--quiet", *options], check=True, capture_output=True, timeout=550)
    return folder / "bin"


def start(programs: Path, *words: str) -> list[str]:
    """Twice ``udock-lab start``, as an ordinary user where we may become one, in a place of theirs: what it said."""
    with tempfile.TemporaryDirectory(prefix="learner-") as place:
        Path(place).chmod(0o777)
        environment = {"HOME": place, "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        ordinary = [programs / "python", ROOT / "scripts/with_privilege.py", "user"]
        command = [*map(str, ordinary), str(programs / "udock-lab"), "start", f"{place}/my lab", *words]
        said = []
        for _ in range(2):
            done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60)
            if done.returncode == 77:
                pytest.skip(f"needs privilege: {done.stderr}")
            assert (done.returncode, done.stderr) == (0, "")
            said += done.stdout.splitlines()
        assert sorted(path.name for path in Path(place, "my lab").glob("*.ipynb")) == LESSONS
        subprocess.run(["rm", "-rf", f"{place}/my lab", f"{place}/.mdock"], check=True)
    return said


def test_the_installed_wheel_starts_the_course_for_an_ordinary_user(built: Path, tmp_path: Path) -> None:
    programs = installed(built, tmp_path / "venv", "--no-deps", str(wheel(built)), "psutil", "pyelftools")
    first, image, second, _ = start(programs, "--no-lab")
    assert first.endswith(" added.")
    assert image == "Image: demo is ready."
    assert second.endswith(": everything was there.")


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_the_wheel_installed_with_all_it_depends_on_opens_the_course_in_jupyterlab(built: Path, tmp_path: Path) -> None:
    programs = installed(built, tmp_path / "venv", str(wheel(built)))
    assert start(programs, "--no-lab")[0].endswith(" added.")
    command = [str(programs / "udock-lab"), "start", str(tmp_path / "lab"), "--"]
    with serving(command, "--port", settings_of_nobody(tmp_path)) as address:
        assert first_page(address).endswith(f"/lab/tree/{LESSONS[0]}")
