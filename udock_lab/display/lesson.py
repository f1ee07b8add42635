"""What a lesson says (questions, verdicts, progress), as text and as HTML with the same content."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import quote

from udock_lab.display import text as plain
from udock_lab.display.html import card, say, style_sheet, table, to_html
from udock_lab.model import CardChoices, CardLines, CardTable, CardText, LessonCard

__all__ = ["lesson_html", "lesson_text", "spoken"]

_SIGNS = {"good": "✔", "some": "▲", "bad": "✖", "": "●"}
_CODE = re.compile(r"`([^`]+)`")


def lesson_text(shown: LessonCard) -> str:
    """Headline, parts, and the text form of the result, if there is one."""
    lines = [_clean(shown.headline)]
    for part in shown.parts:
        lines += _part_text(part)
    if shown.result is not None:
        lines += _indented(plain.to_text(shown.result))
    return "\n".join(lines)


def _part_text(part: CardText | CardChoices | CardLines | CardTable) -> list[str]:
    if isinstance(part, CardText):
        before = "note: " if part.kind == "note" else ""
        return _indented(before + _clean(part.text))
    if isinstance(part, CardChoices):
        return [f"  ({'x' if label == part.chosen else ' '}) {plain.clean(label)}" for label in part.labels]
    if isinstance(part, CardLines):
        return [f"  {part.title}:", *(f"    {line}" for line in _listing(part))]
    return ["", *_indented(plain.table(part.head, part.rows))]


def _clean(text: str) -> str:
    return "\n".join(plain.clean(line) for line in text.splitlines())


def _indented(text: str) -> list[str]:
    return [f"  {line}" if line else "" for line in text.splitlines()]


def _listing(part: CardLines) -> list[str]:
    """The lines, each behind its number where they have numbers; a line of several is one entry."""
    width = max((len(str(number)) for number in part.numbers), default=0)
    shown = []
    for place, line in enumerate(part.lines):
        number = f"{part.numbers[place]:>{width}}  " if part.numbers else ""
        first, *more = line.split("\n")
        shown += [number + plain.clean(first), *(" " * len(number) + plain.clean(below) for below in more)]
    return shown


def lesson_html(shown: LessonCard) -> str:
    """The card; the result keeps its own frame below it."""
    body = f'<p class="kicker">{say(shown.label)}</p><p class="verdict {shown.mood}">'
    body += f'<span aria-hidden="true">{_SIGNS[shown.mood]}</span> {spoken(shown.headline)}</p>'
    body += "".join(_part_html(part) for part in shown.parts)
    below = to_html(shown.result) if shown.result is not None else ""
    return style_sheet("lesson.css") + card(body, shown.label) + below


def spoken(text: str) -> str:
    """Escaped; what stands between backticks becomes code."""
    return _CODE.sub(lambda found: f"<code>{found[1]}</code>", say(text))


def _part_html(part: CardText | CardChoices | CardLines | CardTable) -> str:
    if isinstance(part, CardText):
        opening = f'<p class="{part.kind}">' if part.kind else "<p>"
        return "".join(f"{opening}{_linked(spoken(line), part.leads_to)}</p>" for line in part.text.splitlines())
    if isinstance(part, CardChoices):
        return f'<ul class="choices">{"".join(_choice(label, label == part.chosen) for label in part.labels)}</ul>'
    if isinstance(part, CardLines):
        lines = escape("\n".join(_listing(part)))
        return f'<p><small>{say(part.title)}</small></p><pre class="given" tabindex="0">{lines}</pre>'
    return table(part.head, part.rows)


def _linked(html: str, path: str) -> str:
    return f'<a href="{escape(quote(path))}">{html}</a>' if path else html


def _choice(label: str, chosen: bool) -> str:
    if chosen:
        return f'<li class="chosen">◉ {say(label)} <small>your answer</small></li>'
    return f"<li>○ {say(label)}</li>"
