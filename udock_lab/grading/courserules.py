"""What ``course.toml`` says of points, deadlines and people: read whole; a mistake is told with its line and key.

Nothing here changes a judgement. adjusting.py applies it to what was judged, when it is exported.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from udock_lab.errors import UsageError
from udock_lab.grading.coursefile import CourseFile, mistake, read_course_file
from udock_lab.grading.sources import exercise, hidden_exercise, hidden_folder, slugs
from udock_lab.text.nearest import nearest

__all__ = ["DAY", "SECTIONS", "Manual", "Rules", "read_rules"]

DAY = 86_400.0  # seconds
_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": DAY, "week": 7 * DAY}
_DURATION = re.compile(r"(\d+(?:\.\d+)?) *(second|minute|hour|day|week)s?")
_SIGNED = re.compile(r"[+-]\d+(?:\.\d+)?")
_WHEN = 'Write a date and a time: 2026-11-30T23:59:00, or a span: "3 days", "12 hours", "15 minutes"'
SECTIONS = (
    "exercises", "hints", "points", "dropped", "extra_credit", "due", "late", "extensions", "handed_in", "attempts",
    "earlier", "manual", "comments", "groups", "columns",
)  # fmt: skip
_LATE = ("grace", "percent_a_day", "at_most", "closed_after")


@dataclass(frozen=True, slots=True)
class Manual:
    """Points given by hand: in the place of those judged, or beside them (``added``)."""

    points: float
    added: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it. Times are seconds since the epoch, spans are seconds; ``""`` as an exercise means every one.

    ``points``: what an exercise is worth, or (a table) what its requirements are. ``extra``: of an exercise, which
    requirements are beside its points; none named means all of it. ``extensions``: a later time, or a span to add.
    """

    file: CourseFile | None = None
    points: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)
    dropped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    due: Mapping[str, float] = field(default_factory=dict)
    grace: float = 0.0
    percent_a_day: float = 0.0
    at_most: float = 100.0
    closed_after: float | None = None
    extensions: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)  # (until, span)
    handed_in: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    best: bool = False
    earlier: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    manual: Mapping[str, Mapping[str, Manual]] = field(default_factory=dict)
    comments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)

    def people(self) -> Iterator[tuple[str, str]]:
        """Yield each learner that is named, with the section."""
        for section in ("extensions", "handed_in", "earlier", "manual", "comments"):
            for learner in getattr(self, section):
                yield section, learner
        for members in self.groups.values():
            yield from (("groups", learner) for learner in members)


def read_rules(near: Path | None = None) -> Rules:
    """Return what the course says, nothing without a ``course.toml``; UsageError with line, key and what to write."""
    file = read_course_file(near)
    return _Reader(file, near).rules() if file else Rules()


class _Reader:
    def __init__(self, file: CourseFile, near: Path | None) -> None:
        self.file, self.near, self.known = file, near, slugs(near)

    def rules(self) -> Rules:
        for section in self.file.table:
            self._one_of(section, SECTIONS, (section,), "there is no such section")
        late = {key: value for key, value in self._table("late").items() if self._one_of(key, _LATE, ("late", key))}
        counts = self._table("attempts")
        for key, value in counts.items():
            if key != "counts" or value not in ("newest", "best"):
                raise self._wrong(("attempts", key), f"{value!r} is no choice.", 'Write: counts = "newest", or "best"')
        for slug, hints in self._by_exercise("hints"):
            self._keys(("hints", slug), hints)
        return Rules(
            file=self.file,
            points={slug: self._worth(("points", slug), value) for slug, value in self._by_exercise("points")},
            dropped={slug: self._keys(("dropped", slug), value) for slug, value in self._by_exercise("dropped")},
            extra={
                slug: () if value is True else self._keys(("extra_credit", slug), value)
                for slug, value in self._by_exercise("extra_credit")
            },
            due={slug: self._time(("due", slug), value) for slug, value in self._by_exercise("due")},
            grace=self._span(("late", "grace"), late.get("grace", "0 seconds")),
            percent_a_day=self._percent(("late", "percent_a_day"), late.get("percent_a_day", 0)),
            at_most=self._percent(("late", "at_most"), late.get("at_most", 100)),
            closed_after=self._span(("late", "closed_after"), late["closed_after"]) if "closed_after" in late else None,
            extensions=self._by_learner("extensions", self._extension),
            handed_in=self._by_learner("handed_in", self._time, every=False),
            best=counts.get("counts") == "best",
            earlier=self._by_learner("earlier", self._number, every=False),
            manual=self._by_learner("manual", self._manual, every=False),
            comments=self._by_learner("comments", self._text),
            groups={name: self._members(("groups", name), value) for name, value in self._table("groups").items()},
            columns={slug: self._text(("columns", slug), value) for slug, value in self._by_exercise("columns")},
        )

    # --- shapes

    def _wrong(self, keys: tuple[str, ...], what: str, hint: str = "") -> UsageError:
        return mistake(self.file, keys, what, hint)

    def _one_of(self, word: str, known: tuple[str, ...], keys: tuple[str, ...], what: str = "") -> bool:
        if word in known:
            return True
        near = nearest(word, known)
        hint = f"Did you mean {near}?" if near else f"There are: {', '.join(known)}"
        raise self._wrong(keys, f"{what or 'that is not known here'}.", hint)

    def _table(self, *keys: str) -> dict[str, Any]:
        found: Any = self.file.table
        for key in keys:
            found = found.get(key, {})
        if not isinstance(found, dict):
            raise self._wrong(keys, "that is a table.", f"Write [{'.'.join(keys)}] on a line, and below it NAME = ...")
        return found

    def _by_exercise(self, section: str) -> list[tuple[str, Any]]:
        table = self._table(section)
        for slug in table:
            self._one_of(slug, self.known, (section, slug), "there is no such exercise")
        return list(table.items())

    def _by_learner(self, section: str, read: Any, *, every: bool = True) -> dict[str, dict[str, Any]]:
        """Read ``learner.exercise = value``, and ``learner = value`` where ``every`` exercise may be meant."""
        found: dict[str, dict[str, Any]] = {}
        for learner, value in self._table(section).items():
            if not isinstance(value, dict):
                if not every:
                    what = "the exercise is to be named."
                    raise self._wrong((section, learner), what, f'Write: "{learner}".{self.known[0]} = ...')
                value = {"": value}
            for slug, own in value.items():
                if slug:
                    self._one_of(slug, self.known, (section, learner, slug), "there is no such exercise")
                keys = (section, learner, slug) if slug else (section, learner)
                found.setdefault(learner, {})[slug] = read(keys, own)
        return found

    def _keys(self, keys: tuple[str, ...], value: Any) -> tuple[str, ...]:
        """Return names of requirements of an exercise, ``hidden:KEY`` for hidden ones; a table's keys."""
        slug = keys[1]
        known = tuple(one.key for one in exercise(slug, self.near).requirements)
        instructor = self.near / "instructor" if self.near else None
        has_hidden = hidden_folder(slug, instructor, self.near) is not None
        if has_hidden:
            hidden = hidden_exercise(slug, instructor, self.near)
            known += tuple(f"hidden:{one.key}" for one in hidden.requirements)
        names = list(value) if isinstance(value, dict | list) else [value]
        for name in names:
            if not isinstance(name, str):
                raise self._wrong(keys, "names of requirements stand in quotes.", f'Write: {slug} = ["{known[0]}"]')
            if has_hidden or not name.startswith("hidden:"):
                self._one_of(name, known, (*keys, name), "there is no such requirement")
        return tuple(names)

    # --- values

    def _worth(self, keys: tuple[str, ...], value: Any) -> float | dict[str, float]:
        if isinstance(value, dict):
            self._keys(keys, value)
            return {key: self._number((*keys, key), own) for key, own in value.items()}
        return self._number(keys, value)

    def _number(self, keys: tuple[str, ...], value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
            raise self._wrong(keys, "that is a number of points, 0 or more.", f"Write: {keys[-1]} = 10")
        return float(value)

    def _percent(self, keys: tuple[str, ...], value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise self._wrong(keys, "that is a number from 0 to 100, in percent.", f"Write: {keys[-1]} = 10")
        return float(value)

    def _manual(self, keys: tuple[str, ...], value: Any) -> Manual:
        if isinstance(value, str) and _SIGNED.fullmatch(value):
            return Manual(float(value), added=True)
        if isinstance(value, str):
            hint = f'Write: {keys[-1]} = 8.5 in the place of what was judged, or "+1" or "-1" beside it'
            raise self._wrong(keys, f"{value!r} is no number of points.", hint)
        return Manual(self._number(keys, value))

    def _text(self, keys: tuple[str, ...], value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(keys, "that is a text.", f'Write: {keys[-1]} = "..."')
        return value

    def _time(self, keys: tuple[str, ...], value: Any) -> float:
        """Return a moment; a day alone means its end. Without a zone it is this machine's."""
        if isinstance(value, dt.datetime):
            moment = value
        elif isinstance(value, dt.date):
            moment = dt.datetime.combine(value, dt.time(23, 59, 59))
        else:
            raise self._wrong(keys, "that is a date and a time, without quotes.", "Write: 2026-11-30T23:59:00")
        return moment.astimezone().timestamp()

    def _span(self, keys: tuple[str, ...], value: Any) -> float:
        found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
        if not found:
            raise self._wrong(keys, "that is a span of time, in quotes.", 'Write: "15 minutes", "12 hours", "3 days"')
        return float(found[1]) * _UNITS[found[2]]

    def _extension(self, keys: tuple[str, ...], value: Any) -> tuple[float, float]:
        if isinstance(value, str):
            return 0.0, self._span(keys, value)
        if not isinstance(value, dt.date):
            raise self._wrong(keys, "that is a time, or a span.", _WHEN)
        return self._time(keys, value), 0.0

    def _members(self, keys: tuple[str, ...], value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise self._wrong(keys, "that is a list of learners.", f'Write: "{keys[-1]}" = ["kim", "lee"]')
        return tuple(value)
