"""Which HTML form a result has: the one place that picks it by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from udock_lab.display.html.changes import changes_html
from udock_lab.display.html.lanes import timeline_html
from udock_lab.display.html.listings import images_html, inspect_html, ps_html
from udock_lab.display.html.machine import doctor_html
from udock_lab.display.html.records import record_alone, record_html
from udock_lab.display.html.runs import run_html, steps_html
from udock_lab.display.html.sandbox import sandbox_html
from udock_lab.display.html.status import status_html
from udock_lab.display.html.tree import tree_html
from udock_lab.display.html.walk import walk_html
from udock_lab.display.markup import Markup, card, html, verbatim
from udock_lab.display.text.forms import to_text
from udock_lab.model import (
    Container,
    DoctorReport,
    ExitStatus,
    Image,
    Inspection,
    ProcessNode,
    Record,
    RunResult,
    SandboxResult,
)
from udock_lab.text.terminal import printable

__all__ = [
    "changes_html",
    "doctor_html",
    "images_html",
    "inspect_html",
    "ps_html",
    "record_html",
    "run_html",
    "status_html",
    "steps_html",
    "timeline_html",
    "to_html",
    "tree_html",
    "walk_html",
]

_FORMS: tuple[tuple[type, Callable[[Any], Markup]], ...] = (
    (RunResult, run_html),
    (DoctorReport, doctor_html),
    (Inspection, inspect_html),
    (ExitStatus, status_html),
    (Container, lambda container: ps_html([container])),
    (Image, lambda image: images_html([image])),
    (Record, record_alone),
    (ProcessNode, tree_html),
    (SandboxResult, sandbox_html),
)


def to_html(value: object) -> Markup:
    """Return the HTML form of any result."""
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    lines = "\n".join(map(printable, to_text(value).splitlines()))
    return card(html("<pre>{}</pre>", verbatim(lines)), "result")
