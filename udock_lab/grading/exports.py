"""What learning platforms import, from the records of a class.

::

    OUT/export/grades.csv                    csv: everything, for a spreadsheet or a program
    OUT/export/moodle-gradebook.csv          moodle: Grades > Import > CSV file
    OUT/export/moodle-EXERCISE.csv           moodle: the assignment's "Upload grading worksheet"
    OUT/export/canvas.csv                    canvas: Grades > Import

An id is written as it came, whatever it begins with: a program reads it. What others may have written (names,
comments) begins with no sign that a spreadsheet would compute. A learner of whom nothing is known has an empty cell,
which every platform leaves as it is.

Sources: Moodle, ``mod/assign/feedback/offline/importgradeslib.php`` (the columns Identifier, Grade and Last modified
(grade) must be there) and ``grade/import/csv``; Canvas, ``lib/gradebook_importer.rb`` and "How do I import grades".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from udock_lab.grading.adjusting import Adjusted, Record
from udock_lab.grading.batch import keep
from udock_lab.text.terminal import printable

__all__ = ["KINDS", "write_export"]

KINDS = ("csv", "moodle", "canvas")
_FOLDER = "export"
Line = Sequence[object]


def write_export(
    kind: str, out: Path, found: Sequence[Record], titles: dict[str, str], *, requirements: bool
) -> list[Path]:
    """Write the files of one kind; ``titles``: what an exercise is called there. Return where they are."""
    slugs = sorted({slug for one in found for slug in one.exercises})
    columns = [(slug, key) for slug in slugs for key in (*[""], *(_keys(found, slug) if requirements else ()))]
    made = {"csv": _csv, "moodle": _moodle, "canvas": _canvas}[kind](found, columns, titles)
    written = []
    for name, lines in made:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        keep(out / _FOLDER / name, text.getvalue().encode("utf-8", "replace"))
        written.append(out / _FOLDER / name)
    return written


def _keys(found: Sequence[Record], slug: str) -> list[str]:
    return list(
        dict.fromkeys(key for one in found if slug in one.exercises for key in one.exercises[slug].requirements)
    )


def _cell(one: Adjusted | None, key: str) -> object:
    """Return points; empty where nothing is known, or this machine could not judge it."""
    if one is None:
        return ""
    value = one.points if not key else one.requirements.get(key)
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def _title(slug: str, key: str, titles: dict[str, str]) -> str:
    return f"{titles.get(slug, slug)}: {key}" if key else titles.get(slug, slug)


def _words(text: str) -> str:
    """Return what somebody wrote, as text that no spreadsheet computes."""
    line = printable(text)
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def _comment(one: Adjusted | None, record: Record, *, whole: bool = False) -> str:
    parts = [*(one.said if one else ()), *([record.comment] if whole and record.comment else [])]
    return _words("; ".join(parts))


# --- csv


def _csv(
    found: Sequence[Record], columns: Sequence[tuple[str, str]], titles: dict[str, str]
) -> Iterable[tuple[str, list[Line]]]:
    lines: list[Line] = [
        ["learner", "name", "email", "points", "out_of", *(_title(*one, titles) for one in columns), "comment"]
    ]
    for record in found:
        cells = [_cell(record.exercises.get(slug), key) for slug, key in columns]
        comments = [f"{slug}: {'; '.join(one.said)}" for slug, one in record.exercises.items() if one.said]
        said = _words("; ".join([*comments, *filter(None, [record.comment])]))
        who = [record.enrolled.id, _words(record.enrolled.name), _words(record.enrolled.email)]
        lines.append([*who, f"{record.points:g}", f"{record.out_of:g}", *cells, said])
    yield "grades.csv", lines


# --- Moodle


def _moodle(
    found: Sequence[Record], columns: Sequence[tuple[str, str]], titles: dict[str, str]
) -> Iterable[tuple[str, list[Line]]]:
    heads = [head for slug, key in columns for head in ([_title(slug, key, titles)] if key else [
        _title(slug, "", titles), f"{_title(slug, '', titles)} (feedback)"])]  # fmt: skip
    lines: list[Line] = [["ID number", "Full name", "Email address", *heads]]
    for record in found:
        cells: list[object] = []
        for slug, key in columns:
            one = record.exercises.get(slug)
            cells += [_cell(one, key)] if key else [_cell(one, ""), _comment(one, record)]
        lines.append([record.enrolled.id, _words(record.enrolled.name), _words(record.enrolled.email), *cells])
    yield "moodle-gradebook.csv", lines
    for slug in dict.fromkeys(slug for slug, _ in columns):
        sheet = list(_worksheet(found, slug))
        if sheet:
            head = "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade),Feedback comments"
            yield f"moodle-{slug}.csv", [head.split(","), *sheet]


def _worksheet(found: Sequence[Record], slug: str) -> Iterable[Line]:
    for record in found:
        one = record.exercises.get(slug)
        if one and one.participant:
            name, email = _words(record.enrolled.name or record.learner), _words(record.enrolled.email)
            most = f"{one.out_of:g}"
            yield [
                f"Participant {one.participant}",
                name,
                email,
                _cell(one, ""),
                most,
                "-",
                _comment(one, record, whole=True),
            ]


# --- Canvas


def _canvas(
    found: Sequence[Record], columns: Sequence[tuple[str, str]], titles: dict[str, str]
) -> Iterable[tuple[str, list[Line]]]:
    heads = [_title(*one, titles) for one in columns]
    lines: list[Line] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *heads]]
    most: dict[tuple[str, str], float] = {}
    for record in found:
        for slug, key in columns:
            one = record.exercises.get(slug)
            value = (one.out_of if not key else one.requirements.get(key) or 0.0) if one else 0.0
            most[slug, key] = max(most.get((slug, key), 0.0), value)
    lines.append(["    Points Possible", "", "", "", "", *(f"{most[one]:g}" if not one[1] else "" for one in columns)])
    for record in found:
        own = record.enrolled
        cells = [_cell(record.exercises.get(slug), key) for slug, key in columns]
        lines.append([_words(own.name or record.learner), own.id, own.sis_user, own.sis_login, own.section, *cells])
    yield "canvas.csv", lines
