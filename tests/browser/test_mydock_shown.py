"""``%mydock`` in a real JupyterLab: whose part is which, and a container run by the learner's own functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from notebook_page import Lab, run_notebook

EXERCISES = Path(__file__).resolve().parents[2] / "exercises" / "source"
SHOWN = ("%mydock", "%mydock run demo /bin/sh -c 'echo hello; exit 42'", "%mydock ps")


def solved(slug: str) -> list[str]:
    """The solution cells of an exercise."""
    cells = json.loads((EXERCISES / slug / f"{slug}.ipynb").read_text())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["metadata"].get("nbgrader", {}).get("solution")]


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.soak)])
def test_the_learners_runtime_is_shown_in_the_same_cards_and_timeline(lab: Lab, lab_page: Any, theme: str) -> None:
    given = "%load_ext udock_lab\nfrom udock_lab.grading import ExitInfo"
    name = lab.put(f"mydock-{theme}.ipynb", given, *solved("m2_7_mdock_run"), *SHOWN)
    opened = run_notebook(lab_page, name, theme)
    try:
        opened.assert_clean()
        for number, line in enumerate(SHOWN):
            cell = lab_page.locator(".jp-Cell").nth(len(opened.cells) - len(SHOWN) + number)
            assert line in cell.inner_text()
            assert opened.photograph(f"mydock-{theme}-{number}", cell).stat().st_size > 10_000
        ran = lab_page.locator(".jp-Cell").nth(len(opened.cells) - 2)
        assert "ended with exit code 42, says your run (M2.7)" in ran.inner_text()
        assert ran.locator(".lane, .lanes").count()
    finally:
        opened.close()
