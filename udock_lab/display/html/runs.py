"""The card of one run: how it ended, the bits, the timeline, the record."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.display.folding import opens
from udock_lab.display.html.changes import changes_body
from udock_lab.display.html.lanes import lanes_html
from udock_lab.display.html.records import record_body
from udock_lab.display.html.status import status_body
from udock_lab.display.markup import Markup, card, details, html, joined, paragraphs
from udock_lab.display.text.runs import isolation_sentence, signals_sentence, verdict
from udock_lab.display.timeline import drawn
from udock_lab.model import RunResult, StepReport
from udock_lab.text.shellwords import command_line

__all__ = ["run_html", "steps_html"]


def run_html(run: RunResult) -> Markup:
    """Show one run, what matters most on top."""
    return card(joined([_head(run), *_remarks(run), *_parts(run)]), f"container {run.id}")


def _head(run: RunResult) -> Markup:
    mood, sign = _mood(run)
    first, _, rest = verdict(run).partition("\n")
    return html(
        "<header><b>{}</b><span>{}</span><code>{}</code></header>"
        '<p class="verdict {}"><span aria-hidden="true">{}</span> {}</p>{}',
        *(run.id, run.image, command_line(run.argv), mood, sign, first, paragraphs(rest)),
    )


def _mood(run: RunResult) -> tuple[str, str]:
    """Return class and sign of the verdict; the sentence beside it says the same in words."""
    if run.failure is not None:
        return "bad", "✖"
    if run.exit_status is None:
        return "", "●"
    if run.exit_status.signaled:
        return "bad", "⚡"
    return ("good", "✔") if run.exit_code == 0 else ("some", "▲")


def _remarks(run: RunResult) -> list[Markup]:
    shown = [paragraphs(run.failure.hint, "hint")] if run.failure else []
    shown.append(html("<p><small>isolation</small> {}</p>", isolation_sentence(run)))
    if run.signals:
        shown.append(html("<p><small>signals</small> {}</p>", signals_sentence(run.signals)))
    return shown + [paragraphs(note, "note") for note in run.notes]


def _parts(run: RunResult) -> list[Markup]:
    shown = []
    if run.exit_status:
        shown.append(details("Wait status, bit by bit", status_body(run.exit_status), is_open=opens()))
    if run.steps:
        shown.append(details("Parent and child, call by call", lanes_html(drawn(run)), is_open=opens()))
    if run.snapshots:
        shown.append(details("What the steps changed in the process", changes_body(run), is_open=opens()))
    if run.before or run.after:
        shown.append(details("Record before and after", record_body(run.before, run.after), is_open=False))
    return shown


def steps_html(steps: Sequence[StepReport]) -> Markup:
    """Show two lanes, parent and child; time runs down, in microseconds since the first step."""
    return card(lanes_html(drawn(steps)), "timeline of parent and child")
