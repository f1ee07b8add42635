"""HTML in which nothing is escaped by hand: what goes into a template is escaped, unless it is HTML already.

:func:`html` is the one way from text to HTML. HTML is of the type ``markupsafe.Markup``, a ``str`` that knows what it
is, so that a value is escaped once, wherever it goes in, and no function has to know whether another one did it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from udock_lab.text.terminal import printable

__all__ = [
    "Markup",
    "attributes",
    "bare",
    "card",
    "details",
    "for_light_pages",
    "html",
    "joined",
    "paragraphs",
    "standing_in",
    "style_sheet",
    "table",
    "there",
    "trusted",
    "verbatim",
]

_new = str.__new__
_SPECIAL = re.compile("[&<>\"']").search
_IF_DARK = re.compile(r"@media ?\(prefers-color-scheme: ?dark\)\{[^{}]*\{[^{}]*\}\}")
_STYLE_SHEET = re.compile(r"<style>.*?</style>", re.DOTALL)
_AS_IT_IS = (Markup, int)


def html(template: str, *parts: object) -> Markup:
    """Put the parts into the ``{}`` of a template: HTML as it is, anything else as text, escaped and printable.

    The template stands in the code as it is, never put together from values: a test reads every call.
    """
    said = [part if type(part) in _AS_IT_IS else _escaped(str(part)) for part in parts]
    return _new(Markup, _pattern(template) % tuple(said))  # as Markup(...), at half the price


@cache
def _pattern(template: str) -> str:
    """Return the template for ``%``, which is quick: a picture of a long trace is made of thousands of pieces."""
    return template.replace("%", "%%").replace("{}", "%s")


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """Put parts one behind the other, each as :func:`html` does; ``between`` is HTML of the code's own, too."""
    return _new(Markup, between.join(map(_said, parts)))


def _said(part: object) -> str:
    return part if isinstance(part, Markup) else _escaped(str(part))


def _escaped(text: str) -> str:
    """Escape a text; most need not be, and to find that out is quicker."""
    return text if text.isprintable() and not _SPECIAL(text) else escape(printable(text))


def verbatim(text: str) -> Markup:
    """Escape a text and leave its line breaks and tabs: for ``<pre>``, and for a value that comes back as it went."""
    return escape(text)


def trusted(text: str) -> Markup:
    """Take a text for HTML: only for what a program of ours or matplotlib has written."""
    return Markup(text)  # noqa: S704 (that is what it is for)


def attributes(**values: str | bool) -> Markup:
    """Return the attributes that have a value, each behind a blank; ``kind`` stands for ``class``, ``_`` for ``-``."""
    given = ((_name(keyword), value) for keyword, value in values.items() if value)
    return joined(html(" {}", name) if value is True else html(' {}="{}"', name, value) for name, value in given)


def _name(keyword: str) -> str:
    return "class" if keyword == "kind" else keyword.replace("_", "-")


# --- what every card is made of


@cache
def style_sheet(name: str) -> Markup:
    """Return a style sheet of this folder as it is sent: once per output, so short."""
    css = (Path(__file__).parent / name).read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s*([{};,>])\s*", r"\1", " ".join(css.split()))
    return html("<style>{}</style>", trusted(re.sub(r":\s+", ":", css).replace(";}", "}")))


def card(body: Markup, label: str) -> Markup:
    """Frame a result: style sheet, and a labelled section around the body."""
    return html('{}<section class="udock" aria-label="{}">{}</section>', style_sheet("style.css"), label, body)


def standing_in(shown: str) -> Markup:
    """Mark what a live panel, the next output of the same cell, takes the place of while it is there.

    A notebook that is opened without its kernel has no panels, but this.
    """
    return html("{}<div data-stands-in>{}</div>", style_sheet("standin.css"), trusted(shown))


def for_light_pages(shown: str) -> Markup:
    """Return the same card for a page that is light whatever its reader prefers, as nbgrader's are."""
    return trusted(_IF_DARK.sub("", shown))


def bare(shown: Markup) -> Markup:
    """Return a card without its style sheet, for a page that brings it along once."""
    return trusted(_STYLE_SHEET.sub("", shown))


def paragraphs(text: str, kind: str = "") -> Markup:
    """Show a message of several lines, one paragraph each."""
    return joined(html("<p{}>{}</p>", attributes(kind=kind), line) for line in text.splitlines())


def table(head: Sequence[str], rows: Iterable[Sequence[object]], kind: str = "") -> Markup:
    """Show rows below their head; the first cell of a row is its header, ``kind`` are classes for the style sheet."""
    top = joined(html('<th scope="col">{}</th>', name) for name in head)
    body = joined(map(_row, rows))
    return html("<table{}><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", attributes(kind=kind), top, body)


def _row(cells: Sequence[object]) -> Markup:
    first, *rest = cells
    others = html("<td>{}</td>", joined(rest, "</td><td>")) if rest else ""
    return html('<tr><th scope="row">{}</th>{}</tr>', first, others)


def details(title: str, body: Markup, *, is_open: bool) -> Markup:
    """Fold a part away behind its title."""
    return html("<details{}><summary>{}</summary>{}</details>", attributes(open=is_open), title, body)


def there(*paths: str) -> str:
    """Return the first of these files that is there, for a link: from the notebook's folder, where its kernel works."""
    return next((path for path in paths if Path(path).is_file()), "")
