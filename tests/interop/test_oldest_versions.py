"""The lower bounds in ``pyproject.toml`` are true, and so is what the README says of Colab: both are installed and used.

Colab keeps an IPython, ipykernel and ipywidgets of its own; an installation that replaced them would break its kernel.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLAB = ("ipython==7.34.0", "ipykernel==6.17.1", "ipywidgets==7.7.1", "jupyter-client<8", "traitlets==5.7.1")
LESSON = "m2_1b_exec_and_wait.ipynb"  # magics, %%sandbox with its trace, questions, panels, the doctor's line

# The bounds are those of Python 3.11 and 3.12: later Pythons need later versions of compiled packages anyway.
if sys.version_info < (3, 13):

    def environment(folder: Path, *words: str) -> Path:
        """A virtual environment with this package and ``words`` for uv's resolver; its ``bin``."""
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=60)
        install = [*uv, "pip", "install", "--quiet", "--python", folder / "bin/python", *words]
        done = subprocess.run(install, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stderr
        return folder / "bin"

    def take_a_lesson(programs: Path, place: Path) -> str:
        """Every cell of a lesson in a real kernel, compared with what is committed: pytest's words."""
        shutil.copytree(ROOT / "notebooks", place / "notebooks")
        shutil.copy(ROOT / "scripts/nbval.cfg", place)
        (place / "home").mkdir()
        users = {"HOME": str(place / "home"), "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        nbval = ["-m", "pytest", "-q", "--nbval", "--nbval-sanitize-with", "nbval.cfg", "-p", "no:cacheprovider"]
        command = [programs / "python", *nbval, f"notebooks/{LESSON}"]
        return subprocess.run(command, cwd=place, env=users, capture_output=True, text=True, timeout=280).stdout

    def versions(programs: Path) -> dict[str, str]:
        command = [sys.executable, "-m", "uv", "pip", "freeze", "--python", programs / "python"]
        frozen = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
        return dict(re.findall(r"^([\w-]+)==(\S+)$", frozen, re.MULTILINE))

    @pytest.mark.timeout(800)
    def test_a_lesson_runs_on_the_lowest_versions_that_we_say_are_enough(tmp_path: Path) -> None:
        programs = environment(tmp_path / "venv", "--resolution", "lowest-direct", str(ROOT))
        bounds = dict(re.findall(r'^  "([\w-]+)>=([\d.]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE))
        found = versions(programs)
        assert found["ipython"].startswith(bounds["ipython"])
        assert found["ipykernel"].startswith(bounds["ipykernel"])
        said = take_a_lesson(programs, tmp_path)
        assert " passed" in said and " failed" not in said, said

    @pytest.mark.timeout(800)
    def test_a_lesson_runs_on_colab_s_versions_and_installing_leaves_them_alone(tmp_path: Path) -> None:
        programs = environment(tmp_path / "venv", *COLAB, "setuptools")
        before = versions(programs)
        install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", programs / "python", str(ROOT)]
        subprocess.run(install, check=True, timeout=400)
        after = versions(programs)
        assert {name: after[name] for name in before} == before
        said = take_a_lesson(programs, tmp_path)
        assert " passed" in said and " failed" not in said, said
