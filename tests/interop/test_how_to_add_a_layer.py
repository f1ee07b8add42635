"""What CONTRIBUTING says of a new layer is true: a patch that adds one is three files of code, and works in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATCH = ROOT / "tests" / "data" / "add_hostname.patch"
NEW = [Path(name) for name in re.findall(r"^\+\+\+ b/(.+)$", PATCH.read_text(), flags=re.M)]


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a copy of the package and of what its test needs, with the patch applied."""
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "udock_lab", copy / "udock_lab", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copytree(ROOT / "docs", copy / "docs")
    shutil.copytree(
        ROOT / "tests" / "isolation", copy / "tests" / "isolation", ignore=shutil.ignore_patterns("__pycache__")
    )
    for path in (ROOT / "tests").glob("*.py"):
        shutil.copy(path, copy / "tests")
    shutil.copytree(ROOT / "scripts", copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(["git", "apply", "--verbose", str(PATCH)], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}\nMake it anew: apply it with -3, then keep what git diff says."
    return copy


def test_a_layer_with_its_option_is_three_files_and_a_test() -> None:
    code = [path for path in NEW if path.parts[0] == "udock_lab"]
    assert [str(path) for path in code] == [
        "udock_lab/commands/running.py",
        "udock_lab/isolation/hostname.py",
        "udock_lab/isolation/sequence.py",
    ]
    assert [str(path) for path in NEW if path not in code] == ["docs/isolation.md", "tests/isolation/test_hostname.py"]
    told = (ROOT / "CONTRIBUTING.md").read_text()
    assert all(f"`{path.parent.name}/{path.name}`" in told for path in code if path.name != "hostname.py")


def test_its_own_test_and_those_of_the_room_pass_in_the_copy(patched: Path) -> None:
    (test,) = (path for path in NEW if path.parts[0] == "tests")
    env = os.environ | {"PYTHONPATH": str(patched)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not strace", str(test.parent)]
    done = subprocess.run(command, cwd=patched, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_still_point_down_there(patched: Path) -> None:
    done = subprocess.run([sys.executable, "scripts/check_imports.py"], cwd=patched, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("word", ["run --hostname box demo", "run --hostname=box demo"])
def test_until_then_dockers_word_is_told_about(word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "udock_lab.cli", *word.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 125 and "host name" in done.stderr
