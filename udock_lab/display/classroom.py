"""Pages of a graded class: one for each learner, and one for the lecturer on which everybody stands."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from typing import NamedTuple
from urllib.parse import quote

from udock_lab.display.grading import check_html, points
from udock_lab.display.html import card, paragraphs, say, style_sheet, table_of_html
from udock_lab.model import CheckReport, Judgement

__all__ = ["Handed", "class_page", "learner_page"]

_MOST = 5  # requirements that an exercise's list of the frequent ones names


class Handed(NamedTuple):
    """One submission as these pages tell of it.

    ``lost`` are points that this machine could not judge; ``error`` says why nothing was, "" if something was.
    """

    learner: str
    exercise: str
    points: float
    out_of: float
    lost: float
    error: str
    reports: Sequence[CheckReport]

    @property
    def score(self) -> str:
        """``7 of 9``."""
        return f"{points(self.points)} of {points(self.out_of)}"

    @property
    def failures(self) -> list[Judgement]:
        """The requirements that were judged and do not hold."""
        return [judgement for report in self.reports for judgement in report.judgements if judgement.passed is False]


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>:root {{ color-scheme: light dark }}
body {{ font-family: system-ui, sans-serif; max-width: {width}; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.6rem }} h2 {{ font-size: 1.15rem; margin: 1.8rem 0 .4rem }}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""


def _page(title: str, body: str, width: str = "64rem") -> str:
    """A page of its own, in the colours that its reader has chosen; ``body`` is HTML already."""
    return _PAGE.format(title=say(title), body=body, width=width)


# --- one learner


def learner_page(learner: str, submissions: Sequence[Handed]) -> str:
    """The points of all submissions, then the report of each."""
    totals = [(say(one.exercise), _whole(one.score), say(_first_line(one.error))) for one in submissions]
    parts = [
        style_sheet("grading.css") + card(table_of_html(("handed in", "points", ""), totals, "class"), "all points")
    ]
    for one in submissions:
        parts.append(f'<h2 id="{say(one.exercise)}">{say(one.exercise)}</h2>')
        if one.error:
            parts.append(card(paragraphs(one.error, "note"), one.exercise))
        first = 1
        for report in one.reports:
            parts.append(check_html(report, first=first))
            first += len(report.judgements)
    return _page(learner, "".join(parts))


def _first_line(text: str) -> str:
    return text.partition("\n")[0]


# --- the class


def class_page(submissions: Sequence[Handed]) -> str:
    """Who needs a look, how each exercise went, what was failed most, and everybody's points with their reports."""
    learners, exercises = sorted({s.learner for s in submissions}), sorted({s.exercise for s in submissions})
    by_exercise = {name: [s for s in submissions if s.exercise == name] for name in exercises}
    said = f"{_count(len(submissions), 'submission')} of {_count(len(learners), 'learner')}."
    body = f"<p>{said} The same numbers, for a spreadsheet: <a href='grades.csv'>grades.csv</a></p>"
    body += _section("Who needs a look", _needing(submissions))
    body += _section("The exercises", _exercises(by_exercise))
    body += _section("What most learners fail", _failures(by_exercise))
    body += _section("Everybody", _everybody(submissions, learners, exercises))
    return _page("The class", body, "84rem")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _section(title: str, html: str) -> str:
    return f"<h2>{title}</h2>{style_sheet('grading.css')}{card(html, title)}"


def _needing(submissions: Sequence[Handed]) -> str:
    """Those that were not judged at all, those that were judged in part, those that earned nothing; in this order."""
    rows = []
    for one in sorted(submissions, key=lambda one: (_rank(one), one.learner, one.exercise)):
        if _rank(one):
            rows.append((_link(one, one.learner), _whole(one.exercise), say(_trouble(one))))
    if not rows:
        return "<p>Nobody: everything was judged, and every submission earned something.</p>"
    return table_of_html(("learner", "exercise", "why"), rows, "class")


def _rank(one: Handed) -> int:
    """0 for those who need no look."""
    return 1 if one.error else 2 if one.lost else 3 if not one.points else 0


def _trouble(one: Handed) -> str:
    if one.error:
        return f"not judged: {_first_line(one.error)}"
    if one.lost:
        return f"{points(one.lost)} points could not be judged on this machine; the report says why"
    causes = [f"this looks like: {j.looks_like}" if j.looks_like else j.seen for j in one.failures]
    notes = [_first_line(note) for report in one.reports for note in report.notes]
    return f"no points; {next(iter([*causes, *notes]), 'the report says why')}"


def _exercises(by_exercise: dict[str, list[Handed]]) -> str:
    rows = []
    for name, handed in by_exercise.items():
        middle = points(statistics.median(one.points for one in handed))
        full = sum(one.points == one.out_of for one in handed)
        none = sum(not one.points for one in handed)
        out_of = points(max(one.out_of for one in handed))
        rows.append((say(name), str(len(handed)), str(full), f"{middle} of {out_of}", str(none)))
    return table_of_html(("exercise", "handed in", "full points", "median", "no points"), rows, "class")


def _failures(by_exercise: dict[str, list[Handed]]) -> str:
    """What learners stopped at. A check stops at the first failure, so each counts once for a half of an exercise."""
    rows = [row for name, handed in by_exercise.items() for row in _failures_of(name, handed)]
    if not rows:
        return "<p>Nothing: every requirement that was judged holds.</p>"
    return table_of_html(("exercise", "requirement", "learners", "looks most often like"), rows, "class")


def _failures_of(exercise: str, handed: Sequence[Handed]) -> Iterator[tuple[str, str, str, str]]:
    failed = [judgement for one in handed for judgement in one.failures]
    often = Counter(judgement.requirement.name for judgement in failed)
    for number, (name, count) in enumerate(often.most_common(_MOST)):
        causes = Counter(j.looks_like for j in failed if j.requirement.name == name and j.looks_like)
        share = f'<span class="share" style="width:{4 * count / len(handed):.2f}em"></span>'
        cause = next((say(words) for words, _ in causes.most_common(1)), "")
        yield (say(exercise) if not number else ""), say(name), _whole(f"{count} of {len(handed)}", share), cause


def _everybody(submissions: Sequence[Handed], learners: Sequence[str], exercises: Sequence[str]) -> str:
    groups = groupby(sorted(submissions, key=lambda one: (one.learner, one.exercise)), key=lambda one: one.learner)
    rows = []
    for learner, own in groups:
        found = {one.exercise: one for one in own}
        cells = [_cell(found.get(name)) for name in exercises]
        total = sum(one.points for one in found.values()), sum(one.out_of for one in found.values())
        report = f'<a href="{_address(learner)}/report.html">{say(learner)}</a>'
        rows.append((report, f"{points(total[0])} of {points(total[1])}", *cells))
    return table_of_html(("learner", "total", *(name.replace("_", " ") for name in exercises)), rows, "class everybody")


def _cell(one: Handed | None) -> str:
    """Points with a link to the report; a sign where somebody should look, words where there is nothing."""
    if one is None:
        return "<small>not handed in</small>"
    sign = {0: "", 1: " <b>✖ not judged</b>", 2: " <b>▲ in part</b>", 3: " <b>✖</b>"}[_rank(one)]
    full = " ✔" if one.points == one.out_of else ""
    return f"{_link(one, points(one.points))}<small> of {points(one.out_of)}</small>{full}{sign}"


def _address(name: str) -> str:
    """A name as part of an address; of a file whose name is no text, its bytes."""
    return escape(quote(os.fsencode(name)))


def _link(one: Handed, text: str) -> str:
    return f'<a href="{_address(one.learner)}/report.html#{_address(one.exercise)}">{say(text)}</a>'


def _whole(text: str, before: str = "") -> str:
    """Text that is not broken into lines, behind HTML."""
    return f'<span class="whole">{before} {say(text)}</span>'
