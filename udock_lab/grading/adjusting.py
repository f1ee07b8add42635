"""From what was judged to what is exported: points of this course, late penalties, what a lecturer gave by hand.

What a judge said stays as it is kept; each change is a sentence beside the points. In this order: what an exercise and
its requirements are worth here, lateness, which attempt counts, points from an earlier attempt, points by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from udock_lab.display.text.checks import points as in_words
from udock_lab.grading.classfiles import counting
from udock_lab.grading.courserules import DAY, Rules
from udock_lab.grading.marks import Marks, Result
from udock_lab.grading.roster import Enrolled
from udock_lab.text.nearest import nearest

__all__ = ["Adjusted", "Record", "records", "unknown_people"]


class Adjusted(NamedTuple):
    """What one exercise brings a learner. ``requirements``: points of each, None where it was not judged.

    ``participant`` is Moodle's number in the assignment; ``result`` what the notebook's result is called, "" for none.
    """

    points: float
    out_of: float
    requirements: Mapping[str, float | None]
    said: tuple[str, ...] = ()
    participant: str = ""
    result: str = ""


class Record(NamedTuple):
    """One learner as exported; ``exercises`` has nothing of those of which nothing is known."""

    learner: str
    enrolled: Enrolled
    exercises: Mapping[str, Adjusted]
    out_of: float
    comment: str = ""

    @property
    def points(self) -> float:
        """All together."""
        return round(sum(one.points for one in self.exercises.values()), 2)


ReadMarks = Callable[[Result], Marks | None]


def records(
    of_each: Mapping[str, Sequence[Result]],
    roster: Mapping[str, Enrolled],
    persons: Mapping[str, str],
    rules: Rules,
    read: ReadMarks,
) -> Iterator[Record]:
    """Yield everybody who handed something in, is on the roster, or is named by the rules, in the order of names."""
    people = _People([*of_each, *roster], roster, persons)
    teams = _teams(of_each, rules, people)
    groups = {name for name in of_each if name in rules.groups and name not in roster}
    named = {people.key(name) for _, name in rules.people()} - {""}
    made = _Maker(rules, people, read)
    worth = _worth(of_each, rules)
    everybody = {
        learner: made.exercises(learner, [*of_each.get(learner, ()), *teams.get(learner, ())], worth)
        for learner in sorted({*of_each, *roster, *teams, *named} - groups)
    }
    most: dict[str, float] = {}
    for own in everybody.values():
        for slug, one in own.items():
            most[slug] = max(most.get(slug, 0.0), one.out_of)
    total = round(sum(own for slug, own in most.items() if rules.extra.get(slug) != ()), 2)
    for learner, exercises in everybody.items():
        enrolled = roster.get(learner, Enrolled(learner, persons.get(learner, "")))
        yield Record(learner, enrolled, exercises, total, made.comment(learner))


def unknown_people(rules: Rules, names: Sequence[str], roster: Mapping[str, Enrolled]) -> Iterator[str]:
    """Yield a sentence for each learner that the rules name and nobody is called."""
    people = _People(names, roster, {})
    for section, name in dict.fromkeys(rules.people()):
        if not people.key(name):
            near = nearest(name, [*names, *roster])
            guess = f" Did you mean {near}?" if near else ""
            yield f"course.toml, [{section}]: nobody here is called {name!r}.{guess}"


def _worth(of_each: Mapping[str, Sequence[Result]], rules: Rules) -> dict[str, float]:
    """Return what each exercise is worth that anybody handed in, or that has points by the rules."""
    worth: dict[str, float] = {}
    for results in of_each.values():
        for one in results:
            if one.handed.exercise:
                worth[one.handed.exercise] = max(worth.get(one.handed.exercise, 0.0), one.handed.out_of)
    return dict(sorted((worth | {s: p for s, p in rules.points.items() if isinstance(p, float)}).items()))


class _People:
    """Who is meant by a name in ``course.toml``: a learner's folder, or the id, name or e-mail of the roster."""

    def __init__(self, names: Sequence[str], roster: Mapping[str, Enrolled], persons: Mapping[str, str]) -> None:
        self._known = {person: learner for learner, person in persons.items()}
        for learner, one in roster.items():
            self._known |= {word: learner for word in (one.email, one.name, one.id) if word}
        self._known |= {name: name for name in names}

    def key(self, name: str) -> str:
        """Return the learner; "" where nobody is called so."""
        return self._known.get(name, "")


def _teams(of_each: Mapping[str, Sequence[Result]], rules: Rules, people: _People) -> dict[str, list[Result]]:
    """Return what others of a group handed in for each of its members."""
    found: dict[str, list[Result]] = {}
    if not rules.groups:
        return found
    by_group: dict[str, list[Result]] = {}
    for learner, results in of_each.items():
        for one in results:
            for name in {one.group, learner} - {""}:
                by_group.setdefault(name, []).append(one)
    for group, members in rules.groups.items():
        handed = [*by_group.get(group, ()), *by_group.get(people.key(group), ())]
        for member in members:
            learner = people.key(member) or member
            own = found.setdefault(learner, [])
            own += [one for one in dict.fromkeys(handed) if one.learner != learner and one not in own]
    return found


class _Maker:
    """Applies the rules."""

    def __init__(self, rules: Rules, people: _People, read: ReadMarks) -> None:
        self.rules, self.read = rules, read
        self.own = {
            section: {people.key(name): table for name, table in getattr(rules, section).items()}
            for section in ("extensions", "handed_in", "earlier", "manual", "comments")
        }

    def comment(self, learner: str) -> str:
        """Return what is said of a learner's whole work."""
        return str(self.own["comments"].get(learner, {}).get("", ""))

    def exercises(self, learner: str, results: Sequence[Result], worth: Mapping[str, float]) -> dict[str, Adjusted]:
        of_each: dict[str, list[Result]] = {}
        for one in results:
            if one.handed.exercise:
                of_each.setdefault(one.handed.exercise, []).append(one)
        slugs = dict.fromkeys(
            [*worth, *of_each, *self.own["earlier"].get(learner, {}), *self.own["manual"].get(learner, {})]
        )
        made = {slug: self._exercise(learner, slug, of_each.get(slug, ()), worth.get(slug, 0.0)) for slug in slugs}
        return {slug: one for slug, one in made.items() if one is not None}

    def _exercise(self, learner: str, slug: str, results: Sequence[Result], worth: float) -> Adjusted | None:
        attempts = [(one, self._attempt(learner, slug, one)) for one in results]
        found: Adjusted | None = None
        if attempts:
            newest = counting(results)[0][0]
            found = next(made for one, made in attempts if one is newest)
            if self.rules.best:
                best = max((made for _, made in attempts), key=lambda made: made.points)
                if best.points > found.points:
                    found = best._replace(said=(*best.said, f"the best of {len(attempts)} attempts counts"))
        return self._by_hand(learner, slug, found, worth)

    def _by_hand(self, learner: str, slug: str, found: Adjusted | None, worth: float) -> Adjusted | None:
        earlier = self.own["earlier"].get(learner, {}).get(slug)
        manual = self.own["manual"].get(learner, {}).get(slug)
        comment = self.own["comments"].get(learner, {}).get(slug, "")
        nothing = Adjusted(0.0, worth, {}, () if found else ("nothing was handed in",))
        if found is None and earlier is None and manual is None:
            return nothing if comment else None
        points, said = (found or nothing).points, list((found or nothing).said)
        if earlier is not None and (found is None or earlier > points):
            points = earlier
            said.append(f"{in_words(points)} from an earlier attempt")
        if manual is not None:
            points = max(0.0, points + manual.points) if manual.added else manual.points
            sign = "+" if manual.points >= 0 else "-"
            said.append(f"by hand: {sign if manual.added else ''}{in_words(abs(manual.points))}")
        return (found or nothing)._replace(points=round(points, 2), said=(*said, comment) if comment else tuple(said))

    # --- one attempt

    def _attempt(self, learner: str, slug: str, result: Result) -> Adjusted:
        handed = result.handed
        marks = self.read(result)
        parts = list(_requirements(marks)) if marks else []
        points, out_of, own = self._weighed(slug, handed.points, handed.out_of, parts)
        late, why = self._lateness(learner, slug, result)
        said = [handed.why] if handed.why else []
        if why:
            said.append(why)
        return Adjusted(round(points * late, 2), out_of, own, tuple(said), result.participant, result.name)

    def _weighed(
        self, slug: str, points: float, out_of: float, parts: Sequence[tuple[str, float, bool | None]]
    ) -> tuple[float, float, dict[str, float | None]]:
        """Return points, of how many, and those of each requirement; parts: (key, worth, whether it holds)."""
        worth = self.rules.points.get(slug)
        dropped, extra = self.rules.dropped.get(slug, ()), self.rules.extra.get(slug, ())
        weights = {key: own for key, own, _ in parts if key not in dropped}
        if isinstance(worth, Mapping):
            weights |= {key: own for key, own in worth.items() if key in weights}
        total = sum(own for key, own in weights.items() if key not in extra)
        scale = worth / total if isinstance(worth, float) and total else 1.0
        held = {key: holds for key, _, holds in parts}
        own = {key: None if held[key] is None else round(w * scale * bool(held[key]), 2) for key, w in weights.items()}
        if not (dropped or extra or isinstance(worth, Mapping)):
            if isinstance(worth, float) and out_of:
                return points * worth / out_of, worth, own
            return points, worth if isinstance(worth, float) else out_of, own
        judged = sum(w for key, w in weights.items() if key not in extra and held[key] is not None)
        earned = sum(w for key, w in weights.items() if key not in extra and held[key])
        beside = sum(w for key, w in weights.items() if key in extra and held[key])
        return ((earned / judged * total if judged else 0.0) + beside) * scale, round(total * scale, 2), own

    def _lateness(self, learner: str, slug: str, result: Result) -> tuple[float, str]:
        """Return the share of the points that stays, and why."""
        rules = self.rules
        late_by, extended = self._late_by(learner, slug, result)
        if late_by is None or late_by <= rules.grace:
            return 1.0, "in time, by the extension" if extended else ""
        if rules.closed_after is not None and late_by > rules.closed_after:
            return 0.0, f"{_days(late_by)} late: nothing counts any more"
        lost = min(rules.at_most, rules.percent_a_day * math.ceil(late_by / DAY))
        return 1 - lost / 100, f"{_days(late_by)} late: {in_words(lost)} % less"

    def _late_by(self, learner: str, slug: str, result: Result) -> tuple[float | None, bool]:
        """Return by how many seconds it is late, None for not at all; and whether it is so by an extension only.

        A platform that says late or not, without by how much, is believed; late is a day then, unless there is an
        extension.
        """
        rules = self.rules
        own = self.own["extensions"].get(learner, {})
        until, span = own.get(slug) or own.get("") or (0.0, 0.0)
        when = self.own["handed_in"].get(learner, {}).get(slug) or result.when
        due = rules.due.get(slug)
        if not when and result.late is not None:
            is_extended = bool(result.late and (until or span))
            return (DAY if result.late and not is_extended else None), is_extended
        if due is None:
            return None, False
        when = when or result.changed
        late_by = when - max(due + span, until)
        return (late_by if late_by > 0 else None), late_by <= 0 and when > due + rules.grace


def _days(seconds: float) -> str:
    days = math.ceil(seconds / DAY)
    return f"{days} day{'s' * (days != 1)}"


def _requirements(marks: Marks) -> Iterator[tuple[str, float, bool | None]]:
    """Yield each requirement, ``hidden:KEY`` for a hidden one, what it is worth, and whether it holds.

    None where this machine could not judge it. One that waits for another does not hold.
    """
    for cell in marks.cells:
        most = cell.report.out_of
        for one in cell.report.judgements:
            key = f"hidden:{one.requirement.key}" if cell.hidden else one.requirement.key
            yield (
                key,
                one.requirement.points * cell.out_of / most if most else 0.0,
                None if one.refused else bool(one.passed),
            )
