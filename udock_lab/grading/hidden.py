"""The lecturer's part: requirements whose names are public and whose scenarios are not.

They live in a folder ``instructor`` beside the course's sources, which is neither in the wheel nor in what learners
get. A report on them says which hold and nothing of what was tried.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from udock_lab.errors import NotFound
from udock_lab.grading.exercise import Exercise
from udock_lab.model import CheckReport, Judgement
from udock_lab.model.value import replace

__all__ = ["hidden_exercise", "without_values"]


def hidden_exercise(slug: str, folder: str | os.PathLike[str] | None = None) -> Exercise:
    """Return the hidden half of an exercise, from ``folder`` or ``$UDOCK_INSTRUCTOR``.

    Raises NotFound where it is not installed.
    """
    place = Path(folder or os.environ.get("UDOCK_INSTRUCTOR", "instructor"))
    path = place / "udock_hidden" / f"{slug}.py"
    if not path.is_file():
        raise NotFound(
            f"The hidden requirements of {slug} are not installed here.",
            "Lecturers: set UDOCK_INSTRUCTOR to the course's folder instructor/.",
        )
    spec = importlib.util.spec_from_file_location(f"udock_hidden_{slug}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Exercise = module.HIDDEN
    return found


def without_values(report: CheckReport) -> CheckReport:
    """Return the same judgements without a word on how they were reached."""
    return replace(report, judgements=tuple(map(_bare, report.judgements)))


def _bare(judgement: Judgement) -> Judgement:
    kept = "as the statement says" if judgement.passed is False else ""
    seen = "something else; what was tried is not told" if judgement.passed is False else ""
    return replace(judgement, expected=kept, seen=seen, looks_like="", by="kernel")
