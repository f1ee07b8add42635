"""The scripts that set up a machine: what they say where something is missing, and that nothing is half-made."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("bash", "env", "sh", "id", "rm", "dirname", "head", "grep")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder of programs that is the whole $PATH: no apt-get, no sudo, no Python yet."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def python(machine: Path, body: str) -> None:
    program = machine / "python3"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def make_venv(machine: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "scripts/make-venv"), str(machine.parent / "venv")]
    return subprocess.run(command, env={"PATH": str(machine)}, capture_output=True, text=True, timeout=30)


def test_without_a_new_enough_python_one_line_says_which(machine: Path) -> None:
    python(machine, "exit 1  # what an older one answers")
    done = make_venv(machine)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "Python 3.11" in done.stderr and "apt-get install python3" in done.stderr


def test_without_python3_venv_one_line_names_the_package_and_nothing_is_left(machine: Path) -> None:
    python(machine, 'case "$*" in *"-m venv"*) mkdir -p "$3"; exit 1;; esac; exit 0')
    done = make_venv(machine)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "apt-get install python3-venv" in done.stderr
    assert not (machine.parent / "venv").exists()


def test_each_python_that_the_package_names_makes_the_environment_where_it_is_the_only_one(machine: Path) -> None:
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert named[0] == "3.11" and len(named) >= 4
    (machine / "mkdir").symlink_to(shutil.which("mkdir") or "")
    (machine / "cp").symlink_to(shutil.which("cp") or "")
    for version in named:
        python(machine, 'case "$*" in *"-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python";; esac; exit 0')
        program = (machine / "python3").rename(machine / f"python{version}")
        made = make_venv(machine)
        program.unlink()
        assert made.returncode == 0, f"{version}: {made.stderr}"
        shutil.rmtree(machine.parent / "venv")


@pytest.mark.skipif(shutil.which("make") is None, reason="needs privilege: make is missing")
@pytest.mark.parametrize("moved", [True, False])
def test_the_environment_of_a_folder_that_was_moved_is_made_anew(tmp_path: Path, moved: bool) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    programs = tmp_path / ".venv/bin"
    programs.mkdir(parents=True)
    home = "/where/it/was" if moved else os.path.realpath(tmp_path)
    (programs / "mdock").write_text(f"#!{home}/.venv/bin/python\n")
    (tmp_path / ".venv/.installed").touch()
    done = subprocess.run(["make", "-n", "lab"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ("pip install" in done.stdout) == moved
    assert ("made anew" in done.stdout) == moved


# -- elsewhere: other machines


def elsewhere(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts/elsewhere.py"), *arguments]
    environment = os.environ | ({"PATH": path} if path else {})
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_machine_that_does_not_exist_is_answered_with_those_that_do(tmp_path: Path) -> None:
    done = elsewhere("--cache", str(tmp_path / "cache"), "windows")
    assert done.returncode == 2
    assert "no machine 'windows'" in done.stderr and "trixie, forky, vm, arm64" in done.stderr
    assert not (tmp_path / "cache").exists()


def test_the_part_that_runs_under_emulation_is_there() -> None:
    named = re.findall(r"\btests/\S+?\.py\b", (ROOT / "scripts/elsewhere.py").read_text())
    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs privilege: pivot_root takes root")
def test_what_runs_in_another_tree_ends_with_its_code_and_leaves_no_process_and_no_mount(
    demo_rootfs: Path, tmp_path: Path
) -> None:
    tree = Path(shutil.copytree(demo_rootfs, tmp_path / "tree", symlinks=True, ignore=shutil.ignore_patterns("dev")))
    for name in ("dev", "proc", "sys", "tmp"):
        (tree / name).mkdir(exist_ok=True)
    story = "sleep 4567 & cd /proc && echo [0-9]*; exit 42"
    command = [str(ROOT / "scripts/machines/enter"), str(tree), "/bin/sh", "-c", story]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 42, done.stderr
    assert len(done.stdout.split()) < 6  # its own processes, not this machine's
    assert str(tree) not in Path("/proc/self/mounts").read_text()
    assert subprocess.run(["pgrep", "-f", "sleep 456[7]"], capture_output=True).returncode == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs privilege: a user namespace with every user takes root")
def test_what_runs_where_arm64_programs_run_ends_with_its_starter() -> None:
    command = [sys.executable, str(ROOT / "scripts/machines/emulating.py")]
    registered = sorted(Path("/proc/sys/fs/binfmt_misc").glob("*"))
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("needs privilege: qemu-user-static, and a binfmt_misc of one's own (Linux 6.7)")
    starter = subprocess.Popen([*command, "sh", "-c", "echo up; exec sleep 4569"], stdout=subprocess.PIPE)
    assert starter.stdout is not None and starter.stdout.readline() == b"up\n"
    starter.kill()
    assert starter.stdout.read() == b""  # the pipe closes when the last that held it has ended
    starter.wait()
    assert sorted(Path("/proc/sys/fs/binfmt_misc").glob("*")) == registered
