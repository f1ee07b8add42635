"""A check's report as text and as HTML: expected, seen, the first cause only, where to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from urllib.parse import quote

from udock_lab.display.html import card, paragraphs, say, style_sheet
from udock_lab.display.text import clean
from udock_lab.model import CheckReport, Judgement
from udock_lab.text.columns import columns, padded

__all__ = ["check_html", "check_text", "hint_html", "hint_text", "points"]


def points(number: float) -> str:
    """``3``, ``2.5``."""
    return f"{number:g}"


def check_text(report: CheckReport) -> str:
    """One block a requirement: its mark, its name, the evidence; below a failure, what it looks like."""
    head = f"{report.title}"
    total = f"{points(report.points)} of {points(report.out_of)} points"
    width = max([columns(j.requirement.name) for j in report.judgements], default=0)
    lines = [f"{padded(head, width + 8)}  {total}"]
    for judgement in report.judgements:
        lines += _lines(judgement, width)
    lines += [f"  note  {line}" for note in report.notes for line in note.splitlines()]
    return "\n".join(map(clean, lines))  # what a learner's code has said moves no cursor


def _mark(judgement: Judgement) -> str:
    return {True: "ok", False: "NOT", None: "-"}[judgement.passed]


def _lines(judgement: Judgement, width: int) -> list[str]:
    mark, name = _mark(judgement), padded(judgement.requirement.name, width)
    if judgement.passed is None:
        return [f"  {mark:<4}  {name}  {judgement.why}"]
    if judgement.passed:
        seen = f"  {_witness(judgement)}: {judgement.seen}" if judgement.seen else ""
        return [f"  {mark:<4}  {name}{seen}"]
    indent = " " * 8
    lines = [f"  {mark:<4}  {name}  expected {judgement.expected}", f"{indent}{' ' * width}  seen {judgement.seen}"]
    if judgement.looks_like:
        lines.append(f"{indent}this looks like: {judgement.looks_like}")
    lines.append(f"{indent}read: {judgement.requirement.lesson}")
    return lines


def _witness(judgement: Judgement) -> str:
    return "kernel saw" if judgement.by == "kernel" else "its effect"


def hint_text(judgement: Judgement, number: int) -> str:
    """The hint of that number (from 0), with how many there are; the last one again when they have run out."""
    hints = judgement.requirement.hints
    if not hints:
        return f"No hint is written for this one. Read: {judgement.requirement.lesson}"
    at = min(number, len(hints) - 1)
    return f"Hint {at + 1} of {len(hints)}: {hints[at]}"


def hint_html(text: str) -> str:
    """A hint as a small card."""
    return card(paragraphs(text), "hint")


def check_html(report: CheckReport, *, first: int = 1, where: Callable[[str], str] = lambda lesson: "") -> str:
    """The same as a card. ``first`` is the number of the first requirement in the exercise's statement.

    ``where`` finds a lesson's notebook from here, as a path, or nothing.
    """
    total = f"{points(report.points)} of {points(report.out_of)} points"
    mood, sign = _mood(report)
    body = f"<header><b>{say(report.title)}</b></header>"
    body += f'<p class="verdict {mood}"><span aria-hidden="true">{sign}</span> {say(total)}</p>'
    body += f'<ol class="checks" start="{first}">{"".join(_items(report.judgements, first, where))}</ol>'
    body += "".join(paragraphs(note, "note") for note in report.notes)
    return f"{style_sheet('grading.css')}{card(body, f'check of {report.slug}: {total}')}"


def _mood(report: CheckReport) -> tuple[str, str]:
    if report.points == report.out_of:
        return "good", "✔"
    return ("some", "▲") if report.points else ("bad", "✖")


def _items(judgements: Sequence[Judgement], first: int, where: Callable[[str], str]) -> list[str]:
    """One item a requirement; why several in a row were not judged is said once."""
    items, why = [], ""
    for number, judgement in enumerate(judgements, first):
        kind, mark = {True: ("good", "✔ ok"), False: ("bad", "✖ NOT"), None: ("wait", "not judged")}[judgement.passed]
        worth = points(judgement.requirement.points)
        name = f'<p><span class="name">{number}. {say(judgement.requirement.name)}</span> <small>{worth} p</small></p>'
        more = f"<p><small>{say(judgement.why)}</small></p>" if judgement.why != why else ""
        if judgement.passed is not None:
            more = _evidence(judgement, where)
        why = judgement.why
        items.append(f'<li class="{kind}"><span class="mark">{mark}</span>{name}{more}</li>')
    return items


def _evidence(judgement: Judgement, where: Callable[[str], str]) -> str:
    seen = f"<code>{say(judgement.seen)}</code>"
    if judgement.passed:
        return _fact(_witness(judgement), seen) if judgement.seen else ""
    facts = _fact("expected", f"<code>{say(judgement.expected)}</code>") + _fact("seen", seen)
    if judgement.looks_like:
        facts += _fact("this looks like", f'<span class="cause">{say(judgement.looks_like)}</span>')
    return facts + _fact("read", _link(judgement.requirement.lesson, where))


def _link(lesson: str, where: Callable[[str], str]) -> str:
    """``m2_1a_fork, "The child that runs on"``, leading there; JupyterLab makes its headings' anchors like this."""
    slug, _, section = lesson.partition(", ")
    path = where(slug)
    anchor = section.strip('"').replace(" ", "-")
    return (
        f'<a href="{escape(quote(path))}#{escape(quote(anchor))}">{say(lesson)}</a>'
        if path
        else f"<span>{say(lesson)}</span>"
    )


def _fact(what: str, html: str) -> str:
    return f'<p class="fact"><small>{what}</small>{html}</p>'
