"""The two moments of a process side by side, every property with its values, what changed marked by a word."""

from __future__ import annotations

from udock_lab.display.changes import Row, both_moments, change_notes, change_rows, why_alone
from udock_lab.display.eliding import elided
from udock_lab.display.markup import Markup, card, html, joined
from udock_lab.model import RunResult

__all__ = ["changes_body", "changes_html"]


def changes_body(run: RunResult) -> Markup:
    """Show the table, without the frame."""
    pair = both_moments(run)
    if pair is None:
        return html("<p>{}</p>", why_alone(run))
    head = joined(html('<th scope="col">{}</th>', name) for name in ("", pair[0].moment, pair[1].moment, ""))
    rows = joined(_row(row, run) for row in change_rows(*pair))
    notes = joined(html('<p class="note">{}</p>', note) for note in change_notes(*pair))
    return html('<table class="changes"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}', head, rows, notes)


def _row(row: Row, run: RunResult) -> Markup:
    before, after = elided(row.before, run), elided(row.after, run)
    if not row.changed:
        return html(
            '<tr class="same"><th scope="row">{}</th><td>{}</td><td>{}</td><td>same</td></tr>', row.name, before, after
        )
    return html(
        '<tr><th scope="row">{}</th><td>{}</td><td><strong>{}</strong></td>'
        '<td><strong class="mark">← changed</strong></td></tr>',
        *(row.name, before, after),
    )


def changes_html(run: RunResult) -> Markup:
    """Show the two moments in their frame."""
    return card(changes_body(run), "the process before and after")
