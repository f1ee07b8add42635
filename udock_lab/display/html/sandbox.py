"""The card of one sandbox run: its processes, and who made which call."""

from __future__ import annotations

from udock_lab.display.html.lanes import lanes_html
from udock_lab.display.html.walk import walk_html
from udock_lab.display.markup import Markup, card, details, html, joined, paragraphs, table
from udock_lab.display.text.sandbox import process_ending, sentence, shown_role
from udock_lab.display.timeline import drawn
from udock_lab.model import SandboxResult

__all__ = ["sandbox_html"]

_MOST = 24  # processes that are shown


def sandbox_html(result: SandboxResult) -> Markup:
    """Show verdict, processes, notes, and the calls where they were asked for."""
    rows = [(shown_role(p), p.pid, p.parent or "-", process_ending(p)) for p in result.processes[:_MOST]]
    shown = [
        html('<p class="verdict">{}</p>', sentence(result.verdict)),
        table(("process", "pid", "forked by", "how it ended"), rows),
    ]
    if len(result.processes) > len(rows):
        shown.append(paragraphs(f"and {len(result.processes) - len(rows)} more processes"))
    shown += [paragraphs(note, "note") for note in result.notes]
    if result.shows_calls:
        calls = paragraphs(result.untraced, "note") if result.untraced else lanes_html(drawn(result))
        shown.append(details("Who made which call, and when", calls, is_open=True))
        if result.begun and not result.untraced:
            shown.append(details("Step through it", walk_html(result), is_open=True))
    return card(joined(shown), "sandbox run")
