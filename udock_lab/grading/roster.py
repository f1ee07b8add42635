"""Who is in a class: a file of lines ``id,name,email``, as any spreadsheet or learning platform writes it.

That may be Moodle's grading worksheet or list of participants, Canvas's gradebook, or Brightspace's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from udock_lab.errors import UsageError
from udock_lab.grading.submissions import Sent, a_file_name

__all__ = ["Enrolled", "as_handed_in", "read_roster", "titles_in"]

_IDS = (
    "id", "learner", "student_id", "student id", "orgdefinedid", "username", "user name", "login", "id number",
    "sis login id", "sis user id", "identifier", "email address",
)  # fmt: skip
_PARTICIPANT = re.compile(r"\D+ (\d{1,18})")  # Moodle's, of one assignment
_MORE = {"sis_user": "sis user id", "sis_login": "sis login id", "section": "section"}
_NAMES = ("name", "full name", "student", "student name")
_FIRST, _LAST = ("first_name", "first name", "given name"), ("last_name", "last name", "surname", "family name")
_EMAILS = ("email", "e-mail", "mail", "email address", "e-mail address")
_MOST = 50 << 20  # bytes


class Enrolled(NamedTuple):
    """One line of a roster; ``id`` as it stands there, whatever it begins with.

    ``participant`` is Moodle's number for one assignment; the rest are Canvas's columns.
    """

    id: str
    name: str = ""
    email: str = ""
    participant: str = ""
    sis_user: str = ""
    sis_login: str = ""
    section: str = ""


def read_roster(path: Path) -> dict[str, Enrolled]:
    """Return who is in the class, by the name that a learner's folder has for it.

    The first line names the columns; where it names no id, there is no such line, and the first column is the id.
    UsageError for what is no such file.
    """
    lines = _lines(path)
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


def titles_in(path: Path) -> list[str]:
    """Return the columns of a roster that has titles, as they stand there."""
    lines = _lines(path)
    return lines[0] if lines and _columns(lines[0]) else []


def _lines(path: Path) -> list[list[str]]:
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
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [line for line in lines if any(map(str.strip, line))]
    except csv.Error as error:
        raise UsageError(f"{path} is no CSV file: {error}.", "Save the list as CSV.") from None


def as_handed_in(roster: Mapping[str, Enrolled], sent: Iterable[Sent]) -> dict[str, Enrolled]:
    """Return a roster by the names under which its people handed in.

    Where a platform's names say who it is in words only, that is found by Moodle's number, else by the name, if one on
    the roster has it alone.
    """
    numbers = {one.participant: name for name, one in roster.items() if one.participant}
    called: dict[str, list[str]] = {}
    for name, one in roster.items():
        for words in {_plain(one.name), _plain(" ".join(reversed(one.name.split(",", 1))))}:
            called.setdefault(words, []).append(name)
    found: dict[str, str] = {}
    for each in sent:
        if each.person and each.learner not in roster and each.learner not in found:
            names = called.get(_plain(each.person)) or called.get(_plain(each.person.partition("-")[2]), [])
            own = numbers.get(each.participant) or (names[0] if len(names) == 1 else "")
            if own:
                found[each.learner] = own
    met = set(found.values())
    return {name: one for name, one in roster.items() if name not in met} | {
        learner: roster[own] for learner, own in found.items()
    }


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _columns(head: list[str]) -> dict[str, int]:
    """Return which column is what; nothing where none of them is called as an id is."""
    titles = [title.strip().lower() for title in head]
    kinds: dict[str, Sequence[str]] = {"id": _IDS, "name": _NAMES, "email": _EMAILS, "first": _FIRST, "last": _LAST}
    kinds |= {kind: (title,) for kind, title in _MORE.items()}
    found = {"brightspace": titles.index("orgdefinedid")} if "orgdefinedid" in titles else {}
    for kind, known in kinds.items():
        place = next((titles.index(one) for one in known if one in titles), None)
        if place is not None:
            found[kind] = place
    return found if "id" in found else {}


def _enrolled(line: list[str], columns: Mapping[str, int]) -> Enrolled:
    def at(kind: str) -> str:
        place = columns.get(kind, len(line))
        return line[place].strip() if place < len(line) else ""

    number = _PARTICIPANT.fullmatch(at("id"))
    own = at("id").removeprefix("#") if "brightspace" in columns else at("id") or at("email")
    name = at("name") or f"{at('first')} {at('last')}".strip()
    return Enrolled(own, name, at("email"), number[1] if number else "", *map(at, _MORE))
