"""What travels of a lecturer's own exercises: into the repository of ``udock-lab release``, into an autograder.

::

    lessons/course.toml                       the table [exercises], which check(...) looks for
    lessons/exercises/<slug>/<slug>.ipynb     as nbgrader released it
    lessons/exercises/<slug>/*.py             requirements and judge, without hidden/ and corpus/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from udock_lab.course.layout import files_below
from udock_lab.errors import NotFound, UsageError
from udock_lab.grading.coursefile import COURSE_FILE
from udock_lab.grading.sources import of_course

__all__ = ["own_files", "public_halves"]

_KEPT_BACK = ("hidden", "corpus")
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
    for slug in named:
        yield f"lessons/exercises/{slug}/{slug}.ipynb", _released(course, slug)
    for path, content in public_halves(named):
        yield f"lessons/{path}", content


def public_halves(named: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Return (path below a course folder, content) of exercises, slug to folder, and the table that names them.

    Requirements and judge are in it, notebooks, hidden half and corpus are not.
    """
    lines = ["[exercises]"]
    for slug, folder in named.items():
        lines.append(f"{json.dumps(slug)} = {json.dumps(f'exercises/{slug}')}")
        for path, content in files_below(folder, (*_KEPT_BACK, "*.ipynb")):
            yield f"exercises/{slug}/{path}", content
    yield COURSE_FILE, ("\n".join(lines) + "\n").encode()


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
