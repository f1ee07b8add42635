"""The places in the lessons that a check sends a learner to are there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from udock_lab.grading.sources import SLUGS, exercise, hidden_exercise

ROOT = Path(__file__).resolve().parents[2]


def headings(lesson: str) -> set[str]:
    cells = json.loads((ROOT / f"notebooks/{lesson}.ipynb").read_text())["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return set(re.findall(r"^#+ (.+)$", text, re.MULTILINE))


@pytest.mark.parametrize("slug", SLUGS)
def test_each_requirement_sends_to_a_heading_that_its_lesson_has(slug: str) -> None:
    both = exercise(slug), hidden_exercise(slug, ROOT / "exercises/instructor")
    for requirement in (one for half in both for one in half.requirements if one.lesson):
        found = re.fullmatch(r'(\w+), "(.+)"', requirement.lesson)
        assert found is not None, requirement.lesson
        assert found[2] in headings(found[1]), requirement.lesson
