"""The HTML forms: escaped, readable in light and dark themes, nothing by colour alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from udock_lab.display import text as plain
from udock_lab.model import (
    Container,
    DoctorReport,
    ExitStatus,
    Image,
    Inspection,
    Record,
    RunResult,
    StepReport,
)

__all__ = [
    "doctor_html",
    "images_html",
    "inspect_html",
    "ps_html",
    "record_html",
    "run_html",
    "status_html",
    "steps_html",
    "to_html",
]


@cache
def _style() -> str:
    css = (Path(__file__).parent / "style.css").read_text()
    return "<style>" + " ".join(css.split()) + "</style>"


def _card(body: str, label: str) -> str:
    return f'{_style()}<section class="udock" aria-label="{escape(label)}">{body}</section>'


def _say(text: str) -> str:
    return escape(plain.clean(text))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """Cells are escaped here."""
    top = "".join(f'<th scope="col">{_say(name)}</th>' for name in head)
    body = "".join("<tr>" + "".join(f"<td>{_say(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    title = f"<caption>{_say(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _status(status: ExitStatus) -> str:
    code, core, number = plain.bits(status).split()
    groups = (
        ("bits 8-15", code, f"exit code {int(code, 2)}", "WEXITSTATUS", status.exited),
        ("bit 7", core, "core dumped" if core == "1" else "no core", "WCOREDUMP", status.core_dumped),
        ("bits 0-6", number, f"signal {int(number, 2)}", "WTERMSIG", status.signaled),
    )
    cells = "".join(
        f'<div class="bits{" read" if read else ""}"><small>{where}</small><code>{value}</code>'
        f"<span>{meaning}</span><small>{macro}{' ← read this' if read else ''}</small></div>"
        for where, value, meaning, macro, read in groups
    )
    words = f"wait status {status.raw}: {plain.ending(status)}; a shell says $? = {status.shell_code}"
    return f'<div class="status">{cells}</div><p class="line">{_say(words)}</p>'


def status_html(status: ExitStatus) -> str:
    """The 16 bits of a wait status and the macros that read them (wait(2))."""
    return _card(_status(status), "wait status")


def _steps(steps: Sequence[StepReport]) -> str:
    ordered = plain.shown_steps(steps)
    if not ordered:
        return "<p>no steps were reported</p>"
    first = ordered[0].start
    rows = []
    for step in ordered:
        call, lane = plain.clean(step.call), "child" if step.who == "child" else "parent"
        short = call if len(call) <= 72 else call[:44] + " … " + call[-24:]
        took = "" if step.result == "does not return" else f"{(step.end - step.start) / 1000:.0f} µs"
        mark = "✖ FAILED " if step.errno else ""
        block = (
            f'<span class="call{" failed" if step.errno else ""}" tabindex="0" title="{escape(call)}">'
            f"<code>{escape(short)}</code> <b>{mark}{_say(step.result)}</b> <small>{took}</small></span>"
        )
        cells = f"<td>{block}</td><td></td>" if lane == "parent" else f"<td></td><td>{block}</td>"
        rows.append(f'<tr><th scope="row">{(step.start - first) / 1000:.0f}</th>{cells}</tr>')
    return (
        '<table class="lanes"><thead><tr><th scope="col">µs</th><th scope="col">parent</th>'
        f'<th scope="col">child</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def steps_html(steps: Sequence[StepReport]) -> str:
    """Two lanes, parent and child, in the order of time."""
    return _card(_steps(steps), "timeline of parent and child")


_FIELDS = ("container_id", "pid", "image_name", "status", "start_time", "end_time", "exit_code")


def _record(before: Record | None, after: Record | None) -> str:
    lines = [plain.record_line(record).split("|") if record else None for record in (before, after)]
    rows = []
    for number, name in enumerate(_FIELDS):
        old = lines[0][number] if lines[0] else ""
        new = lines[1][number] if lines[1] else ""
        changed = bool(lines[0] and lines[1] and old != new)
        shown = f"<strong>{_say(new)}</strong> (changed)" if changed else _say(new)
        rows.append(f'<tr><th scope="row">{name}</th><td>{_say(old)}</td><td>{shown}</td></tr>')
    return (
        '<table><thead><tr><th scope="col">field</th><th scope="col">while running</th>'
        f'<th scope="col">at the end</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def record_html(before: Record | None, after: Record | None) -> str:
    """The record after phase 1 and phase 2, what changed marked by a word."""
    return _card(_record(before, after), "record before and after")


def _details(title: str, body: str, *, is_open: bool) -> str:
    return f"<details{' open' if is_open else ''}><summary>{title}</summary>{body}</details>"


def run_html(run: RunResult) -> str:
    """The card of one run: how it ended, the bits, the timeline, the record."""
    good = run.failure is None and run.exit_code in (0, None)
    sign = "●" if run.exit_status is None and not run.failure else ("✔" if good else "✖")
    command = " ".join(run.argv)
    head = (
        f"<header><b>{_say(run.id)}</b> <span>{_say(run.image)}</span> <code>{_say(command)}</code></header>"
        f'<p class="verdict">{sign} {_say(plain.verdict(run))}</p>'
    )
    if run.failure and run.failure.hint:
        head += f'<p class="line">{_say(run.failure.hint)}</p>'
    head += f'<p class="line">{_say(plain.isolation_sentence(run))}</p>'
    head += "".join(f'<p class="line">{_say(note)}</p>' for note in run.notes)
    if run.exit_status:
        head += _details("Wait status, bit by bit", _status(run.exit_status), is_open=True)
    if run.steps:
        head += _details("Parent and child", _steps(run.steps), is_open=True)
    if run.before or run.after:
        head += _details("Record before and after", _record(run.before, run.after), is_open=False)
    return _card(head, f"container {run.id}")


def ps_html(containers: Sequence[Container]) -> str:
    """Running and ended containers."""
    return _card(_table(plain.PS_HEAD, plain.ps_rows(containers)), "containers")


def images_html(images: Sequence[Image]) -> str:
    """All images."""
    rows = [[image.name, image.created, image.rootfs] for image in images]
    return _card(_table(("IMAGE", "CREATED", "ROOTFS"), rows), "images")


def inspect_html(inspection: Inspection) -> str:
    """JSON, as docker inspect prints it."""
    return _card(f"<pre>{escape(plain.inspect_text(inspection))}</pre>", "inspection")


def doctor_html(report: DoctorReport) -> str:
    """The rung of the ladder, then each feature that was tried."""
    rows = [["✔ yes" if f.works else "✖ no", f.name, f.detail, "" if f.works else f.remedy] for f in report.features]
    head = f'<p class="verdict">Rung {_say(report.rung)}: {_say(report.summary)}</p>'
    return _card(head + _table(("", "feature", "what was seen", "what to do"), rows), "what this machine permits")


def to_html(value: object) -> str:
    """The HTML form of any result."""
    forms: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (RunResult, run_html),
        (DoctorReport, doctor_html),
        (Inspection, inspect_html),
        (ExitStatus, status_html),
    )
    for kind, form in forms:
        if isinstance(value, kind):
            return form(value)
    return _card(f"<pre>{escape(plain.to_text(value))}</pre>", "result")
