"""Every exercise runs from top to bottom, as handed out and as solved, in a fresh kernel (nbval)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import COURSE, INSTRUCTOR

from udock_lab.grading import ExitInfo, Score, check
from udock_lab.lesson import progress

SOURCES = sorted(path.name for path in (COURSE / "source").iterdir() if path.is_dir())


@dataclass(frozen=True)
class Taken:
    """Exercises of a kind, run by one learner: a kernel for each, and one nbval, which is slow to import."""

    home: Path
    said: str

    def errors(self, slug: str) -> str:
        """What nbval says of this one if one of its cells failed, or if none was run."""
        failed = re.search(rf"^(FAILED|ERROR) .*\b{slug}\.ipynb", self.said, re.MULTILINE)
        passed = re.search(rf"^PASSED .*\b{slug}\.ipynb", self.said, re.MULTILINE)
        return self.said if failed or not passed else ""

    def score(self, slug: str) -> tuple[float, float] | None:
        """What is kept for progress: the score and the most that there is; None where no try is."""
        file = self.home / ".mdock" / "progress.json"
        kept = json.loads(file.read_text())["exercises"].get(slug) if file.exists() else None
        return (kept["score"], kept["max"]) if kept else None


@pytest.fixture(scope="module", params=["release", "source"])
def taken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Taken]:
    home = tmp_path_factory.mktemp(request.param)
    here = [item for item in request.session.items if item.path == request.path and "taken" in item.fixturenames]
    wanted = {item.callspec.params["slug"] for item in here}
    for slug in wanted:
        shutil.copy(COURSE / request.param / slug / f"{slug}.ipynb", home)
    env = os.environ | {"UDOCK_INSTRUCTOR": str(INSTRUCTOR), "HOME": str(home)}
    words = ["-m", "pytest", "--nbval-lax", "-p", "no:cacheprovider", "--rootdir", str(home), "-q", "-rA", str(home)]
    done = subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True, timeout=580)
    return request.param, Taken(home, done.stdout + done.stderr)


@pytest.mark.in_turn(2)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("slug", SOURCES)
def test_notebook_runs_without_an_error(taken: tuple[str, Taken], slug: str) -> None:
    """A release's unwritten functions wait for their learner: no cell fails, and no try is counted."""
    kind, course = taken
    assert course.errors(slug) == ""
    kept = course.score(slug)
    if kind == "release":
        assert kept is None
    else:
        assert kept is not None and kept[0] >= kept[1] - 1  # a machine may refuse what one of them needs


@pytest.mark.parametrize("slug", SOURCES)
def test_a_notebook_with_a_sandbox_cell_loads_the_extension_first(slug: str) -> None:
    cells = json.loads((COURSE / "source" / slug / f"{slug}.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    first = [number for number, source in enumerate(code) if source.startswith("%%sandbox")]
    assert not first or any("%load_ext udock_lab" in source for source in code[: first[0]])


def test_the_best_score_of_a_check_is_kept_for_progress(home: Path) -> None:
    assert isinstance(check("m2_1_process_creation", lambda argv: ExitInfo(code=0)), Score)
    kept = json.loads((home / "progress.json").read_text())["exercises"]["m2_1_process_creation"]
    assert len(kept.pop("times")) == 1
    assert kept == {"score": 0, "max": 7, "best": 0, "tries": [0]}
    assert "exercise 0 of 7 ☆☆☆☆☆" in str(progress())


def test_whoever_has_no_home_folder_gets_the_score_and_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MDOCK_HOME", "~nosuchuser/home")
    assert isinstance(check("m2_1_process_creation", lambda argv: ExitInfo(code=0)), Score)
    said = capsys.readouterr().err
    assert "[mdock] Your score is not kept." in said and "no home folder" in said
