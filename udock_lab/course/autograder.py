"""``udock-lab gradescope EXERCISE...``: an autograder that Gradescope builds an image from.

::

    autograder.zip
        setup.sh, run_autograder       what Gradescope runs: once for the image, then for each submission
        wheels/                        this package, built from the clone: what learners may have, too
        settings.json                  which exercises, and when learners see the hidden requirements
        course/                        what was handed out (no solution), the hidden half, exercises of your own

What is judged there, and how: ``grading/gradescope.py``.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from udock_lab.course.building import CLONE, wheel
from udock_lab.course.layout import files_below
from udock_lab.course.ownexercises import public_halves
from udock_lab.errors import Conflict, NotFound
from udock_lab.grading.cellfacts import nbgrader_facts
from udock_lab.grading.handout import handout_in, read_cells
from udock_lab.grading.sources import (
    SLUGS,
    exercise,
    folder_of,
    hidden_exercise,
    hidden_folder,
    named_course,
)
from udock_lab.linux.wholefile import write_whole
from udock_lab.text.amounts import size

__all__ = ["gradescope"]

_TEMPLATES = CLONE / "exercises" / "gradescope"
_PROGRAMS = ("setup.sh", "run_autograder")
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of every file in the archive: the same autograder is the same bytes

Say = Callable[[str], None]
File = tuple[str, bytes]


def gradescope(args: Namespace, say: Say) -> int:
    """Write the archive.

    Raises NotFound where this is no clone, or for an exercise or course folder that is none; Conflict for a folder.
    """
    if not _TEMPLATES.is_dir():
        raise NotFound(
            "This is the learners' installation: it cannot build an autograder.",
            "Lecturers work from a clone of the repository: run `udock-lab gradescope EXERCISE` in it.",
        )
    out = Path(args.out)
    if out.is_dir():
        raise Conflict(f"{out} is a folder.", "Name the file to write: --out autograder.zip")
    course = _course(args.course)
    slugs = tuple(dict.fromkeys(args.exercises))
    for slug in slugs:
        exercise(slug, course)  # NotFound before anything is built
    with tempfile.TemporaryDirectory() as place:
        files = [*_programs(wheel(Path(place))), *_settings(slugs, args.hidden), *_handed_out(slugs, course)]
    files += [*_hidden_half(slugs, course), *_own(slugs, course)]
    write_whole(out, _archive(files))
    _say_what_it_is(out, slugs, course, say)
    return 0


def _course(name: str | None) -> Path:
    """Return the course folder: the one that is named, the current folder, or that of the clone."""
    here = Path.cwd()
    return named_course(name) or (here if (here / "source").is_dir() else CLONE / "exercises")


def _say_what_it_is(out: Path, slugs: Sequence[str], course: Path, say: Say) -> None:
    checks = [check for slug in slugs for check in handout_in(course, slug).checks]
    say(f"{out}: {', '.join(slugs)}; {size(out.stat().st_size)}.")
    worth = sum(check.points for check in checks)
    say(f"Upload it in Gradescope: a programming assignment of {worth:g} autograder points.")
    for slug in [slug for slug in slugs if not any(check.hidden and check.slug == slug for check in checks)]:
        say(f"{slug}: no hidden requirement is judged; {course} has no hidden cell for it, or no hidden half.")


# --- what is in it


def _programs(built: Path) -> Iterator[File]:
    for name in _PROGRAMS:
        yield name, (_TEMPLATES / name).read_bytes()
    yield f"wheels/{built.name}", built.read_bytes()


def _settings(slugs: Sequence[str], hidden: str) -> Iterator[File]:
    yield "settings.json", json.dumps({"exercises": slugs, "hidden": hidden}, indent=1).encode() + b"\n"


def _handed_out(slugs: Sequence[str], course: Path) -> Iterator[File]:
    """Yield the lecturer's notebooks as far as they are needed: what learners were given, and what cells are worth."""
    yield "course/source/README.md", b"What was handed out: cells that were given, and what check cells are worth.\n"
    for slug in slugs:
        for path in sorted(course.glob(f"source/*/{slug}.ipynb"))[:1]:
            cells = [
                _bare(cell) for cell in read_cells(path) if cell.get("cell_type") == "code" and nbgrader_facts(cell)
            ]
            notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
            yield f"course/source/{slug}/{slug}.ipynb", json.dumps(notebook, indent=1).encode() + b"\n"


def _bare(cell: Mapping[str, Any]) -> dict[str, object]:
    facts = nbgrader_facts(cell)
    secret = facts.get("solution") or facts.get("grade")
    source = "" if secret else cell.get("source", "")
    return {"cell_type": "code", "metadata": {"nbgrader": facts}, "source": source}


def _hidden_half(slugs: Sequence[str], course: Path) -> Iterator[File]:
    for slug in slugs:
        found = hidden_folder(slug, course / "instructor", course)
        if found is not None:
            hidden_exercise(slug, course / "instructor", course)  # UsageError for one that contradicts itself
            for path, content in files_below(found):
                yield f"course/instructor/udock_hidden/{slug}/{path}", content


def _own(slugs: Sequence[str], course: Path) -> Iterator[File]:
    """Yield exercises that this package does not have, and the table that names them."""
    own = {slug: folder_of(slug, course) for slug in slugs if slug not in SLUGS}
    for path, content in public_halves(own) if own else ():
        yield f"course/{path}", content


def _archive(files: Sequence[File]) -> bytes:
    """Return a zip archive with the files at its root, as Gradescope wants them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            facts = zipfile.ZipInfo(name, _MOMENT)
            facts.compress_type = zipfile.ZIP_DEFLATED
            facts.external_attr = (0o755 if name in _PROGRAMS else 0o644) << 16
            archive.writestr(facts, content)
    return made.getvalue()
