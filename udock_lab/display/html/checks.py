"""A check's report: expected, seen, the first cause only, where to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from udock_lab.display.markup import Markup, card, html, joined, paragraphs, style_sheet
from udock_lab.display.text.checks import points, total, witness
from udock_lab.model import CheckReport, Judgement

__all__ = ["check_html", "hint_html"]


def hint_html(text: str) -> Markup:
    """Show a hint as a small card."""
    return card(paragraphs(text), "hint")


def check_html(
    report: CheckReport, *, first: int = 1, told: str = "", where: Callable[[str], str] = lambda lesson: ""
) -> Markup:
    """Show a report as a card. ``first`` is the number of the first requirement in the exercise's statement.

    ``told`` stands for its own total, where a check is worth something else; ``where`` finds a lesson's notebook from
    here, as a path, or nothing.
    """
    told = told or total(report)
    mood, sign = _mood(report)
    body = html(
        '<header><b>{}</b></header><p class="verdict {}"><span aria-hidden="true">{}</span> {}</p>'
        '<ol class="checks" start="{}">{}</ol>{}',
        *(report.title, mood, sign, told, first, joined(_items(report.judgements, first, where))),
        joined(paragraphs(note, "note") for note in report.notes),
    )
    return style_sheet("grading.css") + card(body, f"check of {report.slug}: {told}")


def _mood(report: CheckReport) -> tuple[str, str]:
    if report.waits:
        return "some", "▲"
    if report.out_of == 0 and not all(one.passed for one in report.judgements):
        return ("bad", "✖") if report.first_failure else ("some", "▲")
    if report.points == report.out_of:
        return "good", "✔"
    return ("some", "▲") if report.points else ("bad", "✖")


def _items(judgements: Sequence[Judgement], first: int, where: Callable[[str], str]) -> Iterator[Markup]:
    """Return one item a requirement; why several in a row were not judged is said once."""
    why = ""
    for number, judgement in enumerate(judgements, first):
        kind, mark = {True: ("good", "✔ ok"), False: ("bad", "✖ NOT"), None: ("wait", "not judged")}[judgement.passed]
        wanted = judgement.requirement
        more: object = html("<p><small>{}</small></p>", judgement.why) if judgement.why != why else ""
        if judgement.passed is not None:
            more = joined(_evidence(judgement, where))
        why = judgement.why
        yield html(
            '<li class="{}"><span class="mark">{}</span><p><span class="name">{}{}</span>{}</p>{}</li>',
            *(kind, mark, f"{number}. " if wanted.points else "", wanted.name, _worth(wanted.points), more),
        )


def _worth(number: float) -> object:
    return html(" <small>{} p</small>", points(number)) if number else ""


def _evidence(judgement: Judgement, where: Callable[[str], str]) -> Iterator[Markup]:
    seen = html("<code>{}</code>", judgement.seen)
    if judgement.passed:
        if judgement.seen:
            yield _fact(witness(judgement), seen)
        return
    yield _fact("expected", html("<code>{}</code>", judgement.expected))
    yield _fact("seen", seen)
    if judgement.looks_like:
        yield _fact("this looks like", html('<span class="cause">{}</span>', judgement.looks_like))
    yield _fact("read", _link(judgement.requirement.lesson, where))
    if judgement.again:
        yield _fact(
            "see it happen",
            html("<span><code>{}</code> in a cell of its own puts a ready cell below</span>", judgement.again),
        )


def _link(lesson: str, where: Callable[[str], str]) -> Markup:
    """Link ``m2_1a_fork, "A child without _exit"`` to its place; JupyterLab makes its headings' anchors like this."""
    slug, _, section = lesson.partition(", ")
    path, anchor = where(slug), section.strip('"').replace(" ", "-")
    if not path:
        return html("<span>{}</span>", lesson)
    return html('<a href="{}#{}">{}</a>', quote(path), quote(anchor), lesson)


def _fact(what: str, shown: Markup) -> Markup:
    return html('<p class="fact"><small>{}</small>{}</p>', what, shown)
