"""Who clones on Windows and opens the folder in a dev container gets files that Linux can run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this checkout, committed anew and cloned as Git for Windows does by default."""
    place = tmp_path_factory.mktemp("windows")
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listed, check=True, capture_output=True, timeout=30).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("these files are no git checkout")
    source = place / "source"
    git(place, "init", "-q", str(source))
    there = [name for name in os.fsdecode(names).split("\0") if name and os.path.lexists(ROOT / name)]
    subprocess.run(["cp", "--parents", "-a", "-t", str(source), *there], cwd=ROOT, check=True, timeout=60)
    git(source, "add", "-A")
    git(source, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "all")
    git(place, "clone", "-q", "-c", "core.autocrlf=true", str(source), str(place / "clone"))
    return place / "clone"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def test_no_file_of_a_clone_on_windows_has_a_carriage_return_at_its_lines_ends(clone: Path) -> None:
    listed = git(clone, "ls-files", "--eol").splitlines()
    assert len(listed) > 500
    assert [line for line in listed if "w/crlf" in line or "w/mixed" in line] == []


def test_scripts_of_a_clone_on_windows_start(clone: Path) -> None:
    scripts = [
        path for path in (clone / "scripts").rglob("*") if path.is_file() and path.read_bytes().startswith(b"#!")
    ]
    assert len(scripts) > 5
    for script in scripts:
        first = script.read_bytes().splitlines(keepends=True)[0]
        assert first.endswith(b"\n") and not first.endswith(b"\r\n"), script.name
    shown = subprocess.run(["make", "-n", "setup"], cwd=clone, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    for script in scripts:
        if script.read_bytes().startswith(b"#!/usr/bin/env bash"):
            checked = subprocess.run(["bash", "-n", script], capture_output=True, text=True, timeout=60)
            assert (checked.returncode, checked.stderr) == (0, "")
