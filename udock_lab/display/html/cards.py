"""What a lesson says: questions, verdicts, progress."""

from __future__ import annotations

import re
from urllib.parse import quote

from udock_lab.display.html.forms import to_html
from udock_lab.display.markup import Markup, attributes, card, html, joined, style_sheet, table, verbatim
from udock_lab.display.text.cards import listing
from udock_lab.model import CardBox, CardChoices, CardLines, CardMap, CardTable, CardText, LessonCard

__all__ = ["lesson_html", "spoken"]

_SIGNS = {"good": "✔", "some": "▲", "bad": "✖", "": "●"}
_BOX_SIGNS = {"": "○", "begun": "◔", "read": "◑", "answered": "◕", "done": "✔"}
_CODE = re.compile(r"`([^`]+)`")


def lesson_html(shown: LessonCard, more: Markup | str = "") -> Markup:
    """Show the card, with ``more`` at its end inside the frame; the result keeps its own frame below it."""
    body = html(
        '<p class="kicker">{}</p><p class="verdict {}"><span aria-hidden="true">{}</span> {}</p>{}{}',
        *(shown.label, shown.mood, _SIGNS[shown.mood], spoken(shown.headline), joined(map(_part, shown.parts)), more),
    )
    below = to_html(shown.result) if shown.result is not None else ""
    return style_sheet("lesson.css") + card(body, shown.label) + below


def spoken(text: str) -> Markup:
    """Turn what stands between backticks into code."""
    pieces = enumerate(_CODE.split(text))  # every second one stood between backticks
    return joined(html("<code>{}</code>", piece) if number % 2 else piece for number, piece in pieces)


def _part(part: CardText | CardChoices | CardLines | CardTable | CardMap) -> Markup:
    if isinstance(part, CardText):
        return joined(
            html(
                "<p{}>{}</p>", attributes(kind=part.kind), _linked(spoken(line), part.leads_to, part.kind == "download")
            )
            for line in part.text.splitlines()
        )
    if isinstance(part, CardChoices):
        choices = joined(_choice(label, label == part.chosen) for label in part.labels)
        return html('<ul class="choices">{}</ul>', choices)
    if isinstance(part, CardLines):
        lines = verbatim("\n".join(listing(part)))
        return html('<p><small>{}</small></p><pre class="given" tabindex="0">{}</pre>', part.title, lines)
    if isinstance(part, CardMap):
        boxes = joined(map(_small if part.strip else _large, part.boxes))
        return html('<ol class="{}" aria-label="lessons">{}</ol>', "strip" if part.strip else "map", boxes)
    return table(part.head, part.rows)


def _small(box: CardBox) -> Markup:
    state = box.state or "not begun"
    said = html('<span aria-hidden="true">{}</span> {}', _BOX_SIGNS[box.state], box.short)
    return html(
        "<li{}>{} <small>{}</small></li>",
        attributes(kind=_kind(box), title=f"{box.title}: {state}", aria_current="step" if box.here else ""),
        *(_linked(said, "" if box.here else box.leads_to), box.state),
    )


def _large(box: CardBox) -> Markup:
    notes = joined(html("<span>{}</span>", note) for note in box.notes)
    return html(
        '<li{}><small>{} · <b><span aria-hidden="true">{}</span> {}</b></small><p>{}</p>{}</li>',
        attributes(kind=_kind(box), aria_current="step" if box.here else ""),
        *(box.short, _BOX_SIGNS[box.state], box.state or "not begun"),
        *(_linked(html("{}", box.title), "" if box.here else box.leads_to), notes),
    )


def _kind(box: CardBox) -> str:
    return " ".join(word for word in (box.state, "here" if box.here else "") if word)


def _linked(shown: Markup, path: str, download: bool = False) -> Markup:
    """Link to a file beside the notebook; with the attribute ``download`` JupyterLab does not open it."""
    file = path.rpartition("/")[2] if download else ""
    return html('<a href="{}"{}>{}</a>', quote(path), attributes(download=file), shown) if path else shown


def _choice(label: str, chosen: bool) -> Markup:
    if chosen:
        return html('<li class="chosen">◉ {} <small>your answer</small></li>', label)
    return html("<li>○ {}</li>", label)
