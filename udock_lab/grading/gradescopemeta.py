"""What Gradescope says of a submission beside its files (``submission_metadata.json``): attempts, lateness, a group.

The format is https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/, which may change: what is
missing or of another kind is left out, and costs nobody a point. It is carried along, as words and as data; what a late
or a fifth attempt is worth is decided where the points go, never here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from udock_lab.display.text.checks import points
from udock_lab.model.jsontext import from_json
from udock_lab.model.value import Value
from udock_lab.text.terminal import printable

__all__ = ["Circumstances", "circumstances"]

_LONGEST = 200  # characters of a name


class Circumstances(Value):
    """``late_seconds``: since the due date (the users' own, where they have one); None where none is known.

    ``earlier``: (when, score or None) of the attempts before this one, in their order. ``users``: id, name, email.
    """

    submission: int | None = None
    handed_in: str = ""
    due: str = ""
    late_seconds: int | None = None
    earlier: tuple[tuple[str, float | None], ...] = ()
    users: tuple[Mapping[str, object], ...] = ()

    @property
    def extra_data(self) -> dict[str, object]:
        """The same as data, for ``extra_data`` of the results: it is kept there, and shown to nobody."""
        return {
            "submission": self.submission,
            "handed_in": self.handed_in,
            "due": self.due,
            "late_seconds": self.late_seconds,
            "attempt": len(self.earlier) + 1,
            "earlier": [{"submission_time": when, "score": score} for when, score in self.earlier],
            "users": [dict(user) for user in self.users],
        }

    def lines(self) -> Iterator[str]:
        """Yield what a learner reads of it."""
        if self.earlier:
            scores = ", ".join("none" if score is None else points(score) for _, score in self.earlier)
            yield f"Attempt {len(self.earlier) + 1}. Points of the earlier ones: {scores}."
        if self.late_seconds:
            yield f"Handed in {_in_words(self.late_seconds)} after the due date. These points are before any deduction."
        if len(self.users) > 1:
            yield f"A group: {', '.join(str(user['name']) for user in self.users)}."


def circumstances(path: Path) -> Circumstances:
    """Read the file; where it is missing or no JSON, nothing is known."""
    try:
        found = from_json(path.read_bytes())
    except (OSError, ValueError):
        return Circumstances()
    said = _table(found)
    users = [_table(user) for user in _list(said.get("users"))]
    own = [due for user in users if (due := _moment(_table(user.get("assignment")).get("due_date")))]
    due = max(own, default=None) or _moment(_table(said.get("assignment")).get("due_date"))
    handed_in = _moment(said.get("created_at"))
    number = said.get("id")
    return Circumstances(
        submission=number if isinstance(number, int) else None,
        handed_in=handed_in.isoformat() if handed_in else "",
        due=due.isoformat() if due else "",
        late_seconds=max(0, int((handed_in - due).total_seconds())) if handed_in and due else None,
        earlier=tuple(map(_attempt, _list(said.get("previous_submissions")))),
        users=tuple(
            {"id": _plain(one.get("id")), "name": _text(one.get("name")), "email": _text(one.get("email"))}
            for one in users
        ),
    )


def _attempt(said: object) -> tuple[str, float | None]:
    one = _table(said)
    when = _moment(one.get("submission_time"))
    try:
        score = float(one["score"])  # a text in some versions
    except (KeyError, TypeError, ValueError):
        score = None
    return when.isoformat() if when else "", score


def _moment(said: object) -> datetime | None:
    """Return a moment with its zone; one without a zone cannot be set against others."""
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _table(said: object) -> Mapping[str, Any]:
    return said if isinstance(said, dict) else {}


def _list(said: object) -> list[object]:
    return said if isinstance(said, list) else []


def _plain(said: object) -> int | str:
    return said if isinstance(said, int) else _text(said)


def _text(said: object) -> str:
    return printable(said[:_LONGEST]) if isinstance(said, str) else ""


def _in_words(seconds: int) -> str:
    """Write a span by its two largest units: ``2 days 3 hours``, ``14 minutes``, ``40 seconds``."""
    parts = []
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'s' * (count != 1)}")
    return " ".join(parts[:2])
