"""What learners get of a lecturer's own exercises, in the repository that ``udock-lab release`` writes.

::

    lessons/course.toml                       the table [exercises], which check(...) looks for
    lessons/exercises/<slug>/<slug>.ipynb     as nbgrader released it
    lessons/exercises/<slug>/*.py             requirements and judge, without hidden/ and corpus/
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from udock_lab.errors import NotFound, UsageError
from udock_lab.grading.coursefile import COURSE_FILE
from udock_lab.grading.sources import of_course

__all__ = ["own_files"]

_KEPT_BACK = ("hidden", "corpus", "__pycache__")
_MARKS = (b"BEGIN SOLUTION", b"BEGIN HIDDEN")


def own_files(course: Path) -> Iterator[tuple[str, bytes]]:
    """Return (path below the repository, content) of all that learners get of these exercises.

    NotFound where there is none, or one that nbgrader has not released; UsageError for a release that is out of date.
    """
    named = of_course(course) if (course / COURSE_FILE).is_file() else {}
    if not named:
        raise NotFound(
            f"{course} names no exercise of its own in {COURSE_FILE}.", "Begin one: udock-lab new exercise SLUG"
        )
    lines = ["[exercises]"]
    for slug, folder in named.items():
        lines.append(f'{slug} = "exercises/{slug}"')
        yield f"lessons/exercises/{slug}/{slug}.ipynb", _released(course, slug)
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            hidden = any(part in _KEPT_BACK or part.startswith(".") for part in inside.parts)
            if path.is_file() and not hidden and path.suffix != ".ipynb":
                yield f"lessons/exercises/{slug}/{inside}", path.read_bytes()
    yield f"lessons/{COURSE_FILE}", ("\n".join(lines) + "\n").encode()


def _released(course: Path, slug: str) -> bytes:
    """Return the notebook without its solution, as nbgrader made it of the source that is there now."""
    parts = (slug, f"{slug}.ipynb")
    source, release = course.joinpath("source", *parts), course.joinpath("release", *parts)
    make = f"cd {course}; nbgrader generate_assignment --force {slug}"
    if not release.is_file():
        raise NotFound(f"{slug} is not released yet: there is no {release}.", f"Make it: {make}")
    if source.is_file() and source.stat().st_mtime > release.stat().st_mtime:
        raise UsageError(f"{release} is older than its source.", f"Make it anew: {make}")
    content = release.read_bytes()
    if any(mark in content for mark in _MARKS):
        raise UsageError(f"{release} has a solution or a hidden cell in it.", f"Make it anew: {make}")
    return content
