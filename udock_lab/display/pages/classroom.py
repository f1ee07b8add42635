"""Pages of a graded class: one for each learner, and those for the lecturer on which everybody stands.

The lecturer's first page is ``class.html``. What does not fit there goes on in ``class/learners-002.html`` and so on:
none of them is larger than a browser shows at once, however many learners there are. All that is shown of a submission
there is a :class:`Handed`, which is small; a :class:`Work` also has the reports.
"""

from __future__ import annotations

import os
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from udock_lab.display.html.checks import check_html
from udock_lab.display.markup import Markup, bare, joined
from udock_lab.display.pages.rendering import macro, page
from udock_lab.display.text.checks import points
from udock_lab.model import CheckReport
from udock_lab.model.value import replace

__all__ = ["Failed", "Handed", "Pupil", "Work", "class_page", "class_pages", "learner_page", "points_of", "totals"]

FIRST_PAGE, NEXT_PAGE = 90_000, 150_000  # bytes of rows; a page is to stay under 200 KB
_LIST = 20_000  # bytes of a list that does not go on
_MOST = 5  # requirements that an exercise's list of the frequent ones names
_BINS = 10
_SIGNS = ("", "✖ not judged", "▲ in part", "✖")  # by rank: what somebody should look at


class Failed(NamedTuple):
    """A requirement that was judged and does not hold, and what that looks like."""

    requirement: str
    looks_like: str = ""
    hidden: bool = False


class Handed(NamedTuple):
    """One submission as the class pages tell of it.

    ``exercise`` is what its cells answer, "" where that is none of the course; ``name`` what its result is called.
    ``lost`` are points that this machine could not judge; ``why`` says why nothing was, "" if something was;
    ``trouble``, why somebody should look at it. ``note``: which of several counts.
    """

    learner: str
    exercise: str
    name: str
    points: float
    out_of: float
    lost: float = 0.0
    why: str = ""
    trouble: str = ""
    failures: tuple[Failed, ...] = ()
    note: str = ""

    @property
    def called(self) -> str:
        """The exercise; for what answers none, its name."""
        return self.exercise or self.name

    @property
    def score(self) -> str:
        """``7 of 9``."""
        return points_of(self.points, self.out_of)

    @property
    def is_full(self) -> bool:
        """Every point was earned."""
        return bool(self.out_of) and self.points == self.out_of

    @property
    def rank(self) -> int:
        """How much it needs a look: 0 not at all, 1 was not judged, 2 only in part, 3 earned nothing."""
        return 1 if self.why else 2 if self.lost else 3 if not self.points else 0

    @property
    def sign(self) -> str:
        """The rank in a word."""
        return _SIGNS[self.rank]

    @property
    def address(self) -> str:
        """Where its report stands, from the page of the class."""
        return f"{_address(self.learner)}/report.html#{_address(self.name)}"


class Work(NamedTuple):
    """A submission with its reports; ``earned``: what each is worth in this course, (points, of how many).

    ``counts`` is False where another one of the same exercise counts; ``error`` says why nothing was judged.
    """

    handed: Handed
    reports: Sequence[CheckReport] = ()
    error: str = ""
    earned: Sequence[tuple[float, float]] = ()
    counts: bool = True

    def checks(self) -> Iterator[Markup]:
        """Return its reports, their requirements numbered through, as in the statement."""
        first = 1
        earned = self.earned or [(report.points, report.out_of) for report in self.reports]
        for report, (own, most) in zip(self.reports, earned, strict=True):
            yield bare(check_html(_worth(report, most), first=first, told=f"{points_of(own, most)} points"))
            first += len(report.judgements)


class Pupil(NamedTuple):
    """Somebody in the class, and what counts of what was handed in; ``name`` and ``email`` as a roster says."""

    learner: str
    name: str = ""
    email: str = ""
    handed: tuple[Handed, ...] = ()

    @property
    def address(self) -> str:
        """Where the reports stand, from the page of the class."""
        return f"{_address(self.learner)}/report.html"

    @property
    def hidden(self) -> str:
        """Where the lecturer reads what was tried of hidden requirements that failed; "" where none did."""
        failed = any(one.hidden for handed in self.handed for one in handed.failures)
        return f"lecturer/{_address(self.learner)}.html" if failed else ""


def points_of(earned: float, most: float) -> str:
    """Write ``7 of 9``."""
    return f"{points(earned)} of {points(most)}"


def _worth(report: CheckReport, most: float) -> CheckReport:
    """Return a report whose requirements add up to what the check is worth in this course."""
    if not report.out_of or report.out_of == most:
        return report
    return replace(
        report,
        judgements=tuple(
            replace(one, requirement=replace(one.requirement, points=_share(one.requirement.points, report, most)))
            for one in report.judgements
        ),
    )


def _share(own: float, report: CheckReport, most: float) -> float:
    return round(own * most / report.out_of, 2)


def _address(name: str) -> str:
    """Return a name as part of an address; of a file whose name is no text, its bytes."""
    return quote(os.fsencode(name))


# --- one learner


def learner_page(learner: str, works: Sequence[Work], *, lecturers: bool = False) -> Markup:
    """Show the points of all submissions, then the report of each.

    ``lecturers``: the reports have what was tried of hidden requirements, and the page says so.
    """
    return page("learner.html", title=learner, works=works, lecturers=lecturers)


# --- the class


# The lessons' names, and for each learner (name, how far in each lesson, why that is not known).
Lessons = tuple[Sequence[str], Sequence[tuple[str, Sequence[str], str]]]


def totals(pupils: Iterable[Pupil]) -> dict[str, float]:
    """Return the exercises that anybody has handed in, with the points that there are for each."""
    most: dict[str, float] = {}
    for pupil in pupils:
        for one in pupil.handed:
            if one.exercise:
                most[one.exercise] = max(most.get(one.exercise, 0.0), one.out_of)
    return dict(sorted(most.items()))


def class_page(submissions: Sequence[Handed], lessons: Lessons | None = None) -> Markup:
    """Show a class that fits on one page."""
    learners: dict[str, list[Handed]] = {}
    for one in submissions:
        learners.setdefault(one.learner, []).append(one)
    pupils = [Pupil(name, handed=tuple(own)) for name, own in sorted(learners.items())]
    return [shown for _, shown in class_pages(pupils, lessons)][-1]


def class_pages(
    pupils: Sequence[Pupil], lessons: Lessons | None = None, *, waiting: int = 0, linked: bool = True
) -> Iterator[tuple[str, Markup]]:
    """Return every page, (path, content), class.html last: who needs a look, how each exercise went, everybody.

    ``waiting`` submissions are not judged yet; ``linked``: each learner's report is there.
    """
    most = totals(pupils)
    handed = [one for pupil in pupils for one in pupil.handed]
    missing = [pupil for pupil in pupils if not pupil.handed]
    by_exercise: dict[str, list[Handed]] = {name: [] for name in most}
    for one in handed:
        by_exercise.get(one.exercise, []).append(one)
    heads = ["learner", "total", *(re.sub(r"_(?=[a-z])", " ", name) for name in most)]  # so that they break
    everybody = _Spread("learners", heads, pupils, lambda pupil, up: macro("everybody", _row(pupil, most), up, linked))
    rows = [(*row, len(lessons[0])) for row in lessons[1]] if lessons else []
    taken = _Spread("lessons", ["learner", *(lessons[0] if lessons else ())], rows, _lesson)
    for one_kind in (everybody, taken):
        yield from one_kind.others()
    needing = sorted((one for one in handed if one.rank), key=lambda one: (one.rank, one.learner, one.called))
    out_of = sum(most.values())
    yield (
        "class.html",
        page(
            "class.html",
            said=f"{_count(len(handed), 'submission')} of {_count(len(pupils) - len(missing), 'learner')}.",
            waiting=waiting,
            linked=linked,
            needing=_list(needing, lambda one: macro("needing", one, linked)),
            several=_list([one for one in handed if one.note], lambda one: macro("several", one)),
            missing=_list(missing, lambda pupil: macro("missing", pupil)),
            shares=_bars([sum(one.points for one in pupil.handed) / out_of for pupil in pupils]) if out_of else [],
            exercises=[_exercise(name, own, most[name]) for name, own in by_exercise.items()],
            failures=[row for name, own in by_exercise.items() for row in _failures(name, own)],
            lessons=taken if lessons else None,
            everybody=everybody,
        ),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


class _Spread:
    """A table that goes on over several pages; ``first`` are the rows that stand in class.html.

    ``parts`` says, once all pages were made, of each its address from class.html, and the first and the last of its
    rows; it is empty where there is one page only.
    """

    def __init__(
        self, kind: str, head: Sequence[str], items: Iterable[Any], render: Callable[[Any, str], Markup]
    ) -> None:
        self.kind, self.head, self._render = kind, head, render
        self._items = iter(items)
        self._next = next(self._items, None)
        self._parts: list[tuple[str, str, str]] = []
        self.first = self._filled(FIRST_PAGE, f"class.html#{kind}", "")

    @property
    def parts(self) -> Sequence[tuple[str, str, str]]:
        return self._parts if len(self._parts) > 1 else ()

    def others(self) -> Iterator[tuple[str, Markup]]:
        """Return the pages behind the first one: (path, content)."""
        while self._next is not None:
            number = len(self._parts) + 1
            rows = self._filled(NEXT_PAGE, self._path(number), "../")
            back = "../class.html" if number == 2 else f"../{self._path(number - 1)}"
            on = f"../{self._path(number + 1)}" if self._next is not None else ""
            said = " to ".join(dict.fromkeys(self._parts[-1][1:]))
            yield (
                self._path(number),
                page(
                    "more.html", title=f"The class: {said}", kind=self.kind, head=self.head, rows=rows, back=back, on=on
                ),
            )

    def _path(self, number: int) -> str:
        return f"class/{self.kind}-{number:03}.html"

    def _filled(self, most: int, path: str, up: str) -> Markup:
        """Return rows until so many bytes are full, one at least."""
        rows: list[Markup] = []
        size, begin, end = 0, "", ""
        while self._next is not None and size < most:
            rows.append(self._render(self._next, up))
            size += len(rows[-1].encode("utf-8", "replace"))
            begin, end = begin or self._next[0], self._next[0]
            self._next = next(self._items, None)
        self._parts.append((path, begin, end))
        return joined(rows)


def _lesson(row: tuple[str, Sequence[str], str, int], _up: str) -> Markup:
    return macro("lesson", row)


def _list(items: Sequence[Any], render: Callable[[Any], Markup]) -> tuple[Markup, int]:
    """Return the rows of a list that is cut where it gets long, and how many are left out."""
    rows: list[Markup] = []
    size = 0
    for item in items:
        if size > _LIST:
            break
        rows.append(render(item))
        size += len(rows[-1].encode("utf-8", "replace"))
    return joined(rows), len(items) - len(rows)


def _bars(shares: Sequence[float]) -> list[tuple[str, int, str]]:
    """Count shares (0 to 1) in ten parts: (which part, how many, how high its bar is, of 5)."""
    counts = Counter(min(int(share * _BINS + 1e-9), _BINS - 1) for share in shares)
    highest = max(counts.values(), default=1)
    return [
        (f"{100 * part // _BINS}-{100 * (part + 1) // _BINS} %", counts[part], f"{5 * counts[part] / highest:.2f}")
        for part in range(_BINS)
    ]


def _exercise(name: str, handed: Sequence[Handed], most: float) -> Mapping[str, object]:
    """Count how an exercise went."""
    return {
        "exercise": name,
        "count": len(handed),
        "full": sum(one.is_full for one in handed),
        "median": points_of(statistics.median(one.points for one in handed), most),
        "none": sum(not one.points for one in handed),
        "bars": _bars([one.points / most for one in handed]) if most else [],
    }


def _failures(exercise: str, handed: Sequence[Handed]) -> Iterator[Mapping[str, object]]:
    """Count what learners stopped at. A check stops at the first failure: each counts once for half an exercise."""
    often: Counter[tuple[str, bool]] = Counter()
    causes: dict[str, Counter[str]] = {}
    for one in handed:
        for failed in one.failures:
            often[failed.requirement, failed.hidden] += 1
            if failed.looks_like:
                causes.setdefault(failed.requirement, Counter())[failed.looks_like] += 1
    most = sorted(often.items(), key=lambda item: (-item[1], item[0]))[:_MOST]
    for number, ((name, hidden), count) in enumerate(most):
        yield {
            "exercise": "" if number else exercise,
            "requirement": name,
            "hidden": hidden,
            "share": f"{count} of {len(handed)}",
            "width": f"{4 * count / len(handed):.2f}",
            "cause": next((words for words, _ in causes.get(name, Counter()).most_common(1)), ""),
        }


def _row(pupil: Pupil, most: Mapping[str, float]) -> Mapping[str, object]:
    """Sum up a learner's row: the total, and what was handed in for each exercise, None where nothing was."""
    found = {one.exercise: one for one in pupil.handed}
    return {
        "pupil": pupil,
        "total": points_of(sum(one.points for one in found.values()), sum(most.values())),
        "count": f"{sum(name in found for name in most)} of {len(most)}",
        "handed": [found.get(exercise) for exercise in most],
    }
