"""``course.toml``: one readable file in the course folder.

::

    [exercises]    exercises of the course's own                 read by check and grade (sources.py)
    [hints]        hints beside those of a requirement           read by check and grade
    the rest       points, deadlines, comments                   applied at export (courserules.py), never by a judge

A mistake is told with its line. docs/lms.md shows all of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from udock_lab.errors import UsageError
from udock_lab.model import CheckReport
from udock_lab.model.value import replace

__all__ = ["COURSE_FILE", "CourseFile", "course_file", "hinted", "hints_of", "mistake", "read_course_file"]

COURSE_FILE = "course.toml"
_SHOWN = "docs/lms.md shows all that may stand there."


class CourseFile(NamedTuple):
    """What stands in it, and its text."""

    path: Path
    table: dict[str, Any]
    text: str


def course_file(near: Path | None = None) -> Path | None:
    """Return the ``course.toml`` in a folder (the current one) or in the nearest one above it."""
    here = (near or Path.cwd()).resolve()
    return next((place / COURSE_FILE for place in (here, *here.parents) if (place / COURSE_FILE).is_file()), None)


def read_course_file(near: Path | None = None) -> CourseFile | None:
    """Return what stands in it, None where there is none; UsageError, with the line, for what is no TOML."""
    path = course_file(near)
    if path is None:
        return None
    try:
        facts = path.stat()
        return _read(path, facts.st_mtime_ns, facts.st_size)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Check who owns it.") from None


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int, _size: int) -> CourseFile:
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return CourseFile(path, tomllib.loads(text), text)
    except ValueError as error:
        hint = f'It is TOML (https://toml.io): texts and names with a sign in them stand in "..."; {_SHOWN}'
        last = f"at line {len(text.splitlines())}, the last one"
        why = str(error).replace("at end of document", last)
        raise UsageError(f"{path} cannot be read: {why}.", hint) from None


def mistake(file: CourseFile, keys: Sequence[str], what: str, hint: str = "") -> UsageError:
    """Return an error that names the line on which these keys stand, one inside the other."""
    line = _line_of(file.text, tuple(keys))
    where = f"line {line}, " if line else ""
    return UsageError(f"{file.path}, {where}{'.'.join(keys)}: {what}", hint or _SHOWN)


def _line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return the number of the line that says most of these keys; 0 where none does."""
    head: tuple[str, ...] = ()
    best, found = 0, 0
    for number, line in enumerate(text.splitlines(), 1):
        if (words := line.strip()).startswith("["):
            head = own = _keys_of(words)
        elif "=" in words and not words.startswith("#"):
            own = (*head, *_keys_of(f"{words.partition('=')[0]}= 0"))
        else:
            continue
        if own and own == keys[: len(own)] and len(own) > best:
            best, found = len(own), number
    return found


def _keys_of(line: str) -> tuple[str, ...]:
    """Return the keys that one line of TOML says."""
    try:
        table: object = tomllib.loads(line)
    except ValueError:
        return ()
    keys = []
    while isinstance(table, dict) and table:
        keys.append(next(iter(table)))
        table = table[keys[-1]]
    return tuple(keys)


# --- hints


def hints_of(slug: str, near: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Return the course's hints for an exercise, by requirement (``hidden:KEY`` for a hidden one); UsageError."""
    file = read_course_file(near)
    table = file.table.get("hints", {}) if file else {}
    own = table.get(slug, {}) if isinstance(table, dict) else table
    found: dict[str, tuple[str, ...]] = {}
    for key, hints in own.items() if isinstance(own, dict) else [("", None)]:
        several = [hints] if isinstance(hints, str) else hints
        if not isinstance(several, list) or not all(isinstance(one, str) and one.strip() for one in several):
            assert file
            what = "hints are texts, each by the name of a requirement."
            raise mistake(file, ("hints", slug, key), what, f'Write: [hints.{slug}]  starts = "Which call is it?"')
        found[key] = tuple(several)
    return found


def hinted(report: CheckReport, hints: dict[str, tuple[str, ...]], *, hidden: bool = False) -> CheckReport:
    """Return a report that says the course's hints for what has failed."""
    notes = [
        f"Hint for {judgement.requirement.name!r}: {hint}"
        for judgement in report.judgements
        if judgement.passed is False
        for hint in hints.get(f"hidden:{judgement.requirement.key}" if hidden else judgement.requirement.key, ())
    ]
    return replace(report, notes=(*report.notes, *notes)) if notes else report
