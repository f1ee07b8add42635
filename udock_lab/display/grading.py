"""A check's report as text and as HTML: expected, seen, the first cause only, where to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from urllib.parse import quote

from udock_lab.display.html import card, paragraphs, say
from udock_lab.model import CheckReport, Judgement

__all__ = ["check_html", "check_text", "hint_text", "learner_page", "points"]


def points(number: float) -> str:
    """``3``, ``2.5``."""
    return f"{number:g}"


def check_text(report: CheckReport) -> str:
    """One block a requirement: its mark, its name, the evidence; below a failure, what it looks like."""
    head = f"{report.title}"
    total = f"{points(report.points)} of {points(report.out_of)} points"
    width = max([len(j.requirement.name) for j in report.judgements], default=0)
    lines = [f"{head:<{width + 8}}  {total}"]
    for judgement in report.judgements:
        lines += _lines(judgement, width)
    lines += [f"  note  {note}" for note in report.notes]
    return "\n".join(lines)


def _mark(judgement: Judgement) -> str:
    return {True: "ok", False: "NOT", None: "-"}[judgement.passed]


def _lines(judgement: Judgement, width: int) -> list[str]:
    mark, name = _mark(judgement), f"{judgement.requirement.name:<{width}}"
    if judgement.passed is None:
        return [f"  {mark:<4}  {name}  {judgement.why}"]
    if judgement.passed:
        witness = "kernel saw" if judgement.by == "kernel" else "its effect"
        return [f"  {mark:<4}  {name}  {witness}: {judgement.seen}" if judgement.seen else f"  {mark:<4}  {name}"]
    indent = " " * 8
    lines = [f"  {mark:<4}  {name}  expected {judgement.expected}", f"{indent}{' ' * width}  seen {judgement.seen}"]
    if judgement.looks_like:
        lines.append(f"{indent}this looks like: {judgement.looks_like}")
    lines.append(f"{indent}read: {judgement.requirement.lesson}")
    return lines


def hint_text(judgement: Judgement, number: int) -> str:
    """The hint of that number (from 0), with how many there are; the last one again when they have run out."""
    hints = judgement.requirement.hints
    if not hints:
        return f"No hint is written for this one. Read: {judgement.requirement.lesson}"
    at = min(number, len(hints) - 1)
    return f"Hint {at + 1} of {len(hints)}: {hints[at]}"


def check_html(report: CheckReport, where: Callable[[str], str] = lambda lesson: "") -> str:
    """The same as a card. ``where`` finds a lesson's notebook from here, as a path, or nothing."""
    total = f"{points(report.points)} of {points(report.out_of)} points"
    body = f"<header><b>{say(report.title)}</b><span>{say(total)}</span></header>"
    body += "<ol class='checks'>" + "".join(_item(judgement, where) for judgement in report.judgements) + "</ol>"
    body += "".join(paragraphs(note, "note") for note in report.notes)
    return card(body, f"check of {report.slug}: {total}")


def _item(judgement: Judgement, where: Callable[[str], str]) -> str:
    kind, sign = {True: ("good", "✔ ok"), False: ("bad", "✖ NOT"), None: ("", "not judged")}[judgement.passed]
    worth = f"{points(judgement.requirement.points)} p"
    head = f"<strong>{say(judgement.requirement.name)}</strong> <small>{sign} · {worth}</small>"
    if judgement.passed is None:
        return f"<li class='{kind}'>{head}<p><small>{say(judgement.why)}</small></p></li>"
    if judgement.passed:
        witness = "kernel saw" if judgement.by == "kernel" else "its effect"
        seen = f"<p>{witness}: <code>{say(judgement.seen)}</code></p>" if judgement.seen else ""
        return f"<li class='{kind}'>{head}{seen}</li>"
    detail = f"<p>expected <code>{say(judgement.expected)}</code></p><p>seen <code>{say(judgement.seen)}</code></p>"
    if judgement.looks_like:
        detail += f"<p>this looks like: {say(judgement.looks_like)}</p>"
    detail += f"<p><small>read: {_link(judgement.requirement.lesson, where)}</small></p>"
    return f"<li class='{kind}'>{head}{detail}</li>"


def _link(lesson: str, where: Callable[[str], str]) -> str:
    """``m2_1a_fork, "The child that runs on"``, leading there; JupyterLab makes its headings' anchors like this."""
    slug, _, section = lesson.partition(", ")
    path = where(slug)
    anchor = section.strip('"').replace(" ", "-")
    return f'<a href="{escape(quote(path))}#{escape(quote(anchor))}">{say(lesson)}</a>' if path else say(lesson)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>:root {{ color-scheme: light dark }}
body {{ font-family: system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem }}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""


def learner_page(learner: str, submissions: Sequence[tuple[str, str, Sequence[CheckReport]]]) -> str:
    """A page of its own: each submission (name, error or nothing, reports) of one learner."""
    parts = []
    for name, error, reports in submissions:
        parts.append(f"<h2>{say(name)}</h2>")
        if error:
            parts.append(card(paragraphs(error, "note"), name))
        parts += [check_html(report) for report in reports]
    return _PAGE.format(title=say(learner), body="".join(parts))
