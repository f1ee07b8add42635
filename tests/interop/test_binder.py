"""Binder's image and the dev container, checked without docker: what would be built is read, resolved and executed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from udock_lab.isolation import probe

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))

from build_image import instructions
from served_lab import first_page, serving, settings_of_nobody

ROOT = Path(__file__).resolve().parents[2]
APPS = ("ServerApp", "LabApp", "JupyterNotebookApp")
FIRST = "lessons/00_start_here.ipynb"
BARE = ["--no-deps", ".", "psutil", "pyelftools"]  # what `udock-lab start` itself needs


@pytest.fixture(scope="module")
def dockerfile() -> str:
    command = [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return done.stderr + done.stdout


def packages() -> list[str]:
    return (ROOT / "binder/apt.txt").read_text().split()


def test_repo2docker_takes_the_dockerfile_and_nothing_else(dockerfile: str) -> None:
    assert (ROOT / "binder/Dockerfile").read_text().strip() in dockerfile
    others = {"environment.yml", "runtime.txt", "REQUIRE", "Project.toml"}  # of which nobody would read a word
    assert not others & {path.name for path in (ROOT / "binder").iterdir()}


def test_binder_gets_python_strace_and_busybox() -> None:
    assert {"busybox-static", "git", "python3", "python3-venv", "strace"} <= set(packages())
    steps = [words for name, words in instructions((ROOT / "binder/Dockerfile").read_text()) if name == "RUN"]
    assert "--no-install-recommends $(cat /tmp/apt.txt)" in steps[0]


def test_binder_s_user_owns_the_sources_installs_them_and_lays_the_course_out() -> None:
    """BinderHub names the user by NB_USER and NB_UID, and starts jupyter notebook."""
    steps = list(instructions((ROOT / "binder/Dockerfile").read_text()))
    story = [
        ("ARG", "NB_UID=1000"),
        ("COPY", ". ${HOME}"),
        ("RUN", "chown -R ${NB_UID} ${HOME}"),
        ("USER", "${NB_USER}"),
        ("RUN", "pip install --no-cache-dir jupyterhub nbgitpuller notebook -r binder/requirements.txt"),
        ("RUN", "./binder/postBuild"),
    ]
    places = [steps.index(step) for step in story]
    assert places == sorted(places) and [name for name, _ in steps].count("USER") == 1


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs privilege: no apt-get on this system")
def test_binder_s_debian_packages_resolve() -> None:
    command = ["apt-get", "install", "--simulate", *packages()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_binder_s_requirements_resolve() -> None:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "-r", "binder/requirements.txt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that an ordinary user may use, with a copy of the sources in it."""
    with tempfile.TemporaryDirectory(prefix="binder-") as folder:
        skip = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", "artefacts", "results")
        shutil.copytree(ROOT, Path(folder, "repo"), ignore=skip)
        subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
        yield Path(folder)


def build(place: Path, *requirements: str) -> None:
    """What the Dockerfile does after the copy, as an ordinary user, in an environment of their own."""
    steps = f'{sys.executable} -m venv ../venv && ../venv/bin/pip install -q "$@" && ./binder/postBuild'
    ordinary = [sys.executable, str(ROOT / "scripts/with_privilege.py"), "user"]
    command = [*ordinary, "bash", "-ec", steps, "postBuild", *requirements]
    environment = {"HOME": str(place / "repo"), "PATH": f"{place}/venv/bin:{os.environ['PATH']}", "LANG": "C.UTF-8"}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = subprocess.run(
        command,
        cwd=place / "repo",
        env=environment,
        capture_output=True,
        text=True,
        timeout=550,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 77:
        pytest.skip(f"needs privilege: {done.stderr}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Image: demo is ready." in done.stdout


def test_after_post_build_every_way_to_start_the_server_opens_on_the_first_lesson(place: Path) -> None:
    build(place, *BARE)
    settings = json.loads((place / "venv/etc/jupyter/jupyter_server_config.json").read_text())
    assert {app: of["default_url"] for app, of in settings.items()} == dict.fromkeys(APPS, f"/lab/tree/{FIRST}")
    laid = {path.name for path in (place / "repo/lessons").glob("*.ipynb")}
    assert laid == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", ["notebook", "lab"])
def test_with_everything_installed_binder_s_server_opens_on_the_first_lesson(place: Path, program: str) -> None:
    build(place, "-r", "binder/requirements.txt", *(["notebook"] if program == "notebook" else []))
    command = [str(place / "venv/bin/jupyter"), program, "--no-browser", "--allow-root", f"--notebook-dir={place}/repo"]
    with serving(command, "--port", settings_of_nobody(place)) as address:
        assert first_page(address).endswith(f"/lab/tree/{FIRST}")


def test_the_dev_container_is_privileged_runs_as_root_and_sets_everything_up() -> None:
    settings = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert "--privileged" in settings["runArgs"]
    assert settings["remoteUser"] == settings["containerUser"] == "root"
    folder = ROOT / ".devcontainer"
    assert (folder / settings["build"]["dockerfile"]).resolve() == ROOT / "binder/Dockerfile"
    assert (folder / settings["build"]["context"]).resolve() == ROOT
    assert settings["forwardPorts"] == [8888]
    program, target = settings["postCreateCommand"].split()
    assert program == "make"
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()


def test_the_dev_container_keeps_the_learner_s_home_when_it_is_built_anew() -> None:
    settings = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    (mount,) = settings["mounts"]
    fields = dict(field.split("=", 1) for field in mount.split(","))
    assert fields == {"source": "udock-lab-home-${devcontainerId}", "target": "/root/.mdock", "type": "volume"}
    assert settings["containerEnv"]["HOME"] == "/root"  # which the image would name otherwise


def test_who_is_told_to_use_a_dev_container_is_told_where_it_is() -> None:
    assert (ROOT / ".devcontainer").is_dir()
    source = (ROOT / "udock_lab/isolation/probe.py").read_text()
    assert source.count("dev container") == 1, "say it with DEV_CONTAINER"
    assert ".devcontainer/" in probe.DEV_CONTAINER
