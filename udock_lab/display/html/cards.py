"""What a lesson says: questions, verdicts, progress."""

from __future__ import annotations

import re
from urllib.parse import quote

from udock_lab.display.html.forms import to_html
from udock_lab.display.markup import Markup, attributes, card, html, joined, style_sheet, table, verbatim
from udock_lab.display.text.cards import listing
from udock_lab.model import CardChoices, CardLines, CardTable, CardText, LessonCard

__all__ = ["lesson_html", "spoken"]

_SIGNS = {"good": "✔", "some": "▲", "bad": "✖", "": "●"}
_CODE = re.compile(r"`([^`]+)`")


def lesson_html(shown: LessonCard) -> Markup:
    """Show the card; the result keeps its own frame below it."""
    body = html(
        '<p class="kicker">{}</p><p class="verdict {}"><span aria-hidden="true">{}</span> {}</p>{}',
        *(shown.label, shown.mood, _SIGNS[shown.mood], spoken(shown.headline), joined(map(_part, shown.parts))),
    )
    below = to_html(shown.result) if shown.result is not None else ""
    return style_sheet("lesson.css") + card(body, shown.label) + below


def spoken(text: str) -> Markup:
    """Turn what stands between backticks into code."""
    pieces = enumerate(_CODE.split(text))  # every second one stood between backticks
    return joined(html("<code>{}</code>", piece) if number % 2 else piece for number, piece in pieces)


def _part(part: CardText | CardChoices | CardLines | CardTable) -> Markup:
    if isinstance(part, CardText):
        return joined(
            html("<p{}>{}</p>", attributes(kind=part.kind), _linked(spoken(line), part.leads_to))
            for line in part.text.splitlines()
        )
    if isinstance(part, CardChoices):
        choices = joined(_choice(label, label == part.chosen) for label in part.labels)
        return html('<ul class="choices">{}</ul>', choices)
    if isinstance(part, CardLines):
        lines = verbatim("\n".join(listing(part)))
        return html('<p><small>{}</small></p><pre class="given" tabindex="0">{}</pre>', part.title, lines)
    return table(part.head, part.rows)


def _linked(shown: Markup, path: str) -> Markup:
    return html('<a href="{}">{}</a>', quote(path), shown) if path else shown


def _choice(label: str, chosen: bool) -> Markup:
    if chosen:
        return html('<li class="chosen">◉ {} <small>your answer</small></li>', label)
    return html("<li>○ {}</li>", label)
