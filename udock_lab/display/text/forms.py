"""Which text form a result has: the one place that picks it by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from udock_lab.display.text.changes import changes_text
from udock_lab.display.text.inspection import inspect_text
from udock_lab.display.text.listings import images_text, ps_text
from udock_lab.display.text.machine import doctor_text
from udock_lab.display.text.records import record_line, record_text
from udock_lab.display.text.runs import run_text, steps_text
from udock_lab.display.text.sandbox import sandbox_text
from udock_lab.display.text.status import status_text
from udock_lab.display.text.timeline import timeline_text
from udock_lab.display.text.tree import tree_text
from udock_lab.display.text.walk import walk_text
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
    "changes_text",
    "doctor_text",
    "images_text",
    "inspect_text",
    "ps_text",
    "record_text",
    "run_text",
    "status_text",
    "steps_text",
    "timeline_text",
    "to_text",
    "tree_text",
    "walk_text",
]


_FORMS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (RunResult, run_text),
    (DoctorReport, doctor_text),
    (Inspection, inspect_text),
    (ExitStatus, status_text),
    (Container, lambda container: ps_text([container])),
    (Image, lambda image: images_text([image])),
    (Record, lambda record: printable(record_line(record))),
    (ProcessNode, tree_text),
    (SandboxResult, sandbox_text),
)


def to_text(value: object) -> str:
    """Return the text form of any result."""
    for kind, form in _FORMS:
        if isinstance(value, kind):
            return form(value)
    return str(value)
