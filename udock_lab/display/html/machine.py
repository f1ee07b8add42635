"""What this machine permits, as ``mdock doctor`` found it."""

from __future__ import annotations

from udock_lab.display.markup import Markup, card, html, joined, table
from udock_lab.display.text.machine import settings_line
from udock_lab.model import DoctorReport

__all__ = ["doctor_html"]

_RUNGS = "ABCDE"


def doctor_html(report: DoctorReport) -> Markup:
    """Show the rung of the ladder, then each feature that was tried."""
    rungs = joined(
        html('<li aria-current="true"><b>{}</b> this machine</li>', rung)
        if rung == report.rung
        else html("<li>{}</li>", rung)
        for rung in _RUNGS
    )
    head = html('<p class="verdict">Rung {}: {}</p><ol class="rungs">{}</ol>', report.rung, report.summary, rungs)
    rows = [(f.name, "✔ yes" if f.works else "✖ NO", f.detail, "" if f.works else f.remedy) for f in report.features]
    foot = html("<p>{}</p>", settings_line(report)) if report.settings else ""
    body = joined([head, table(("feature", "works", "what was seen", "what to do"), rows), foot])
    return card(body, "what this machine permits")
