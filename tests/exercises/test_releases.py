"""What learners get is what the sources make, and holds nothing that they should not have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from harness import COURSE

ROOT = COURSE.parent
SOURCES = sorted(path.name for path in (COURSE / "source").iterdir() if path.is_dir())


def test_no_release_is_stale() -> None:
    command = [sys.executable, str(ROOT / "scripts/release_exercises.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=230)
    assert (done.returncode, done.stderr.count("stale")) == (0, 0), done.stderr[-2000:]


def test_each_source_has_a_release_and_the_other_way_round() -> None:
    assert sorted(path.name for path in (COURSE / "release").iterdir()) == SOURCES


@pytest.mark.parametrize("slug", SOURCES)
def test_a_release_holds_no_solution_no_hidden_test_and_no_output(slug: str) -> None:
    notebook = json.loads((COURSE / "release" / slug / f"{slug}.ipynb").read_text())
    source = json.loads((COURSE / "source" / slug / f"{slug}.ipynb").read_text())
    text = json.dumps(notebook)
    assert [word for word in ("BEGIN SOLUTION", "HIDDEN TESTS", "check_hidden") if word in text] == []
    assert [c["id"] for c in notebook["cells"]] == [c["id"] for c in source["cells"]]
    assert all(not c["outputs"] and c["execution_count"] is None for c in notebook["cells"] if c["cell_type"] == "code")
    solutions = [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("solution")]
    assert solutions
    assert all("NotImplementedError" in "".join(c["source"]) for c in solutions)


@pytest.mark.parametrize("slug", SOURCES)
def test_what_a_cell_is_worth_is_what_its_requirements_are_worth(slug: str) -> None:
    from harness import both_halves

    public, hidden = both_halves(slug)
    cells = json.loads((COURSE / "source" / slug / f"{slug}.ipynb").read_text())["cells"]
    facts = [cell["metadata"].get("nbgrader", {}) for cell in cells]
    worth = {f["grade_id"]: f["points"] for f in facts if f.get("grade")}
    assert worth == {
        f"{slug}_check": sum(one.points for one in public.requirements),
        f"{slug}_hidden": sum(one.points for one in hidden.requirements),
    }


def test_the_course_folder_of_the_repository_holds_no_class() -> None:
    assert not Path(COURSE / "gradebook.db").exists()
