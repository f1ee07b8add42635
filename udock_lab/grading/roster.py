"""Who is in a class: a file of lines ``id,name,email``, as any spreadsheet or learning platform writes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from udock_lab.errors import UsageError
from udock_lab.grading.submissions import a_file_name

__all__ = ["Enrolled", "read_roster"]

_IDS = ("id", "learner", "student_id", "student id", "username", "user name", "login", "id number", "sis login id")
_NAMES = ("name", "full name", "student", "student name")
_FIRST, _LAST = ("first_name", "first name", "given name"), ("last_name", "last name", "surname", "family name")
_EMAILS = ("email", "e-mail", "mail", "email address", "e-mail address")
_MOST = 50 << 20  # bytes


class Enrolled(NamedTuple):
    """One line of a roster; ``id`` as it stands there, whatever it begins with."""

    id: str
    name: str = ""
    email: str = ""


def read_roster(path: Path) -> dict[str, Enrolled]:
    """Return who is in the class, by the name that a learner's folder has for it.

    The first line names the columns; where it names no id, there is no such line, and the first column is the id.
    UsageError for what is no such file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a CSV file: --roster FILE") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)  # a comma where there is none of them
    try:
        lines = [
            line for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if any(map(str.strip, line))
        ]
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV file: {error}.", "Save the list as CSV.") from None
    columns = _columns(lines[0]) if lines else {}
    if columns:
        lines = lines[1:]
    found: dict[str, Enrolled] = {}
    for line in lines:
        one = _enrolled(line, columns or {"id": 0, "name": 1, "email": 2})
        if one.id:
            found.setdefault(a_file_name(one.id), one)
    if not found:
        raise UsageError(f"Nobody is in {path}.", "A line for each learner: id,name,email")
    return found


def _columns(head: list[str]) -> dict[str, int]:
    """Return which column is what; nothing where none of them is called as an id is."""
    titles = [title.strip().lower() for title in head]
    kinds = {"id": _IDS, "name": _NAMES, "email": _EMAILS, "first": _FIRST, "last": _LAST}
    found = {}
    for kind, known in kinds.items():
        place = next((titles.index(one) for one in known if one in titles), None)
        if place is not None:
            found[kind] = place
    return found if "id" in found else {}


def _enrolled(line: list[str], columns: Mapping[str, int]) -> Enrolled:
    def at(kind: str) -> str:
        place = columns.get(kind, len(line))
        return line[place].strip() if place < len(line) else ""

    return Enrolled(at("id"), at("name") or f"{at('first')} {at('last')}".strip(), at("email"))
