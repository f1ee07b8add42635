"""A line of containers.db: what the end of a container changed in it, marked by a word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from udock_lab.display.markup import Markup, card, html, joined
from udock_lab.display.text.records import FIELDS, changed_fields, record_line
from udock_lab.model import Record

__all__ = ["record_alone", "record_body", "record_html"]


def _line(record: Record, changed: Sequence[str]) -> Markup:
    """Show the line, its changed fields marked."""
    fields = record_line(record).split("|", 6)
    shown = (
        html("<mark>{}</mark>", value) if name in changed and value else value
        for name, value in zip(FIELDS, fields, strict=True)
    )
    return html("{}|{}|{}|{}|{}|{}|{}", *shown)


@lru_cache(maxsize=64)
def _row(name: str, was: str, now: str, *, changed: bool, began: bool) -> Markup:
    before: object = was if was or not began else html("<small>empty</small>")
    after: object = html("<strong>{}</strong> <small>← changed</small>", now or "empty") if changed else now
    return html('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>', name, before, after)


def record_body(before: Record | None, after: Record | None) -> Markup:
    """Show both lines and a table of their fields, without the frame."""
    changed = changed_fields(before, after)
    old, new = (record_line(record).split("|", 6) if record else [""] * 7 for record in (before, after))
    rows = joined(
        _row(name, was, now, changed=name in changed, began=before is not None)
        for name, was, now in zip(FIELDS, old, new, strict=True)
    )
    moments = (("while running", before, ()), ("at the end", after, changed))
    lines = joined(
        html("<div><small>{}</small> <code>{}</code></div>", when, _line(record, marked))
        for when, record, marked in moments
        if record
    )
    return html(
        '<div class="lines">{}</div><table><thead><tr><th scope="col">field</th><th scope="col">while running</th>'
        '<th scope="col">at the end</th></tr></thead><tbody>{}</tbody></table>',
        *(lines, rows),
    )


def record_html(before: Record | None, after: Record | None) -> Markup:
    """Show the record after phase 1 and phase 2, what changed marked by a word."""
    return card(record_body(before, after), "record before and after")


def record_alone(record: Record) -> Markup:
    """Show the line of one record."""
    return card(html("<pre>{}</pre>", _line(record, ())), f"record of {record.id}")
