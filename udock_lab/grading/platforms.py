"""How learning platforms name what they zip: whose it is, which attempt, and what the learner called the file.

::

    Moodle       Kim Lee_4711_assignsubmission_file_/nb.ipynb      4711: the participant, of one assignment
                 Kim Lee_4711_assignsubmission_file_nb.ipynb       without folders; "Group A-Kim Lee" in a group
    Canvas       leekim_LATE_815_90210_nb-1.ipynb                  815: the user, 90210: the upload
    ILIAS        Submissions/Team 7/Lee_Kim_klee_815/nb (2).ipynb  klee: the login; "Late Submission - nb.ipynb"
    Brightspace  39786-640693 - Kim Lee - Oct 10, 2025 1022 AM/nb.ipynb

Sources: Moodle, ``mod/assign`` (``clean_filename``, ``assignsubmission``); Canvas, ``lib/content_zipper.rb``; ILIAS,
``components/ILIAS/Exercise`` (``getDirectoryNameFromUserData``, ``exc_late_submission``); Brightspace's own zips.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

__all__ = ["Place", "place_of"]

_MOODLE = re.compile(r"(?P<who>.+)_(?P<id>\d{1,18})_assignsubmission_[a-z]{1,30}_?(?P<file>.*)", re.DOTALL)
_CANVAS = re.compile(r"(?P<who>.+?)_(?P<late>LATE_)?(?P<id>\d{1,18})_(?P<upload>\d{1,18})_(?P<file>.+)", re.DOTALL)
_NAMELESS = re.compile(r"(?P<late>LATE_)?anon_(?P<id>[0-9A-Za-z]{1,40})_(?P<upload>\d{1,18})_(?P<file>.+)", re.DOTALL)
_ILIAS = re.compile(r"(?P<last>[^_]+)_(?P<first>[^_]+)_(?P<login>.+)_(?P<id>\d{1,18})", re.DOTALL)
_TEAM = re.compile(r"\w{2,20} \d{1,18}")
_LATE = re.compile(r"(?:Late Submission|Versp(?:ae|a|ä)tete Abgabe) - ", re.IGNORECASE)
_BRIGHTSPACE = re.compile(
    r"(?P<id>\d{1,18})-\d{1,18} - (?P<who>[^-].*?) ?- (?P<date>[^-]*\d{4}[^-]*?)(?: - (?P<file>.+))?", re.DOTALL
)
_DATES = ("%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p", "%d %B, %Y %H%M", "%d %B %Y %H%M", "%b %d, %Y %I:%M %p")
_NUMBERED = re.compile(r"(?:-(\d{1,4})| \((\d{1,4})\))(?=\.\w+$)")  # a second upload of a file of the same name
_LONGEST = 255  # characters of a name; a file system has no longer ones


class Place(NamedTuple):
    """What the names on the way to a file say.

    ``at``: which of the names says whose it is. ``who`` is the learner's name or that of a group;
    ``id`` the platform's own number; ``learner`` what they are best known by, "" where that is the name. ``when`` is
    the time of the attempt (seconds since the epoch, by this machine's clock; 0.0 unknown), ``serial`` is larger for a
    later upload, ``late`` is None where names don't say it.
    """

    platform: str
    at: int
    who: str
    id: str
    file: str
    learner: str = ""
    group: str = ""
    when: float = 0.0
    serial: int = 0
    late: bool | None = None


def place_of(parts: Sequence[str]) -> Place | None:
    """Return what the names say that lead to a file, its own the last one; None where no platform names so."""
    last = len(parts) - 1
    for at, part in enumerate(parts):
        if len(part) > _LONGEST:
            continue
        rest = "/".join(parts[at + 1 :])
        above = parts[at - 1] if at else ""
        found = _moodle(part, at, rest) or _brightspace(part, at, rest)
        found = found or (_canvas(part, at) if at == last else _ilias(part, at, rest, above))
        if found and found.file:
            return found
    return None


def _moodle(part: str, at: int, rest: str) -> Place | None:
    found = _MOODLE.fullmatch(part)
    if not found or bool(found["file"]) == bool(rest):  # a folder with a file's name behind it, or a file without one
        return None
    return Place("Moodle", at, found["who"], found["id"], rest or found["file"])


def _canvas(part: str, at: int) -> Place | None:
    found = (_NAMELESS.fullmatch(part) or _CANVAS.fullmatch(part)) if at < 2 else None  # side by side
    if not found:
        return None
    who = found.groupdict().get("who") or f"anon_{found['id']}"
    file = _NUMBERED.sub("", found["file"]) if "(" not in found["file"] else found["file"]
    learner = found["id"] if found["id"].isdigit() else who
    return Place("Canvas", at, who, found["id"], file, learner, serial=int(found["upload"]), late=bool(found["late"]))


def _ilias(part: str, at: int, rest: str, above: str) -> Place | None:
    found = _ILIAS.fullmatch(part) if "/" not in rest else None
    if not found:
        return None
    late = bool(_LATE.match(rest))
    file = _LATE.sub("", rest, count=1)
    number = _NUMBERED.search(file)
    return Place(
        "ILIAS", at, f"{found['first']} {found['last']}", found["id"], _NUMBERED.sub("", file), found["login"],
        group=above if _TEAM.fullmatch(above) else "", serial=int((number[1] or number[2]) if number else 1), late=late,
    )  # fmt: skip


def _brightspace(part: str, at: int, rest: str) -> Place | None:
    found = _BRIGHTSPACE.fullmatch(part)
    if not found or bool(found["file"]) == bool(rest):
        return None
    when = _read_date(found["date"].strip())
    return Place("Brightspace", at, found["who"].strip(), found["id"], rest or found["file"], when=when)


def _read_date(words: str) -> float:
    for form in _DATES:
        try:
            return datetime.strptime(words, form).astimezone().timestamp()
        except (ValueError, OverflowError, OSError):
            continue
    return 0.0
