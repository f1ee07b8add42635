"""The HTML forms: escaped, readable in light and dark themes, nothing by colour alone."""

from __future__ import annotations

import re
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
    ProcessNode,
    Record,
    RunResult,
    SandboxResult,
    StepReport,
)

__all__ = [
    "card",
    "details",
    "doctor_html",
    "for_light_pages",
    "images_html",
    "inspect_html",
    "paragraphs",
    "ps_html",
    "record_html",
    "run_html",
    "say",
    "status_html",
    "steps_html",
    "style_sheet",
    "table",
    "table_of_html",
    "there",
    "to_html",
]

_RUNGS = "ABCDE"
_IF_DARK = re.compile(r"@media ?\(prefers-color-scheme: ?dark\)\{[^{}]*\{[^{}]*\}\}")


@cache
def style_sheet(name: str) -> str:
    """A style sheet of this folder as it is sent: once per output, so short."""
    css = (Path(__file__).parent / name).read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s*([{};,>])\s*", r"\1", " ".join(css.split()))
    return "<style>" + re.sub(r":\s+", ":", css).replace(";}", "}") + "</style>"


def card(body: str, label: str) -> str:
    """The frame of every result: style sheet, a labelled section, ``body`` (HTML already)."""
    return f'{style_sheet("style.css")}<section class="udock" aria-label="{say(label)}">{body}</section>'


def for_light_pages(html: str) -> str:
    """The same card for a page that is light whatever its reader prefers, as nbgrader's are."""
    return _IF_DARK.sub("", html)


def say(text: str) -> str:
    """Text as HTML: escaped, control characters made visible."""
    return escape(plain.clean(text))


def paragraphs(text: str, kind: str = "") -> str:
    """A message of several lines, one paragraph each."""
    opening = f'<p class="{kind}">' if kind else "<p>"
    return "".join(f"{opening}{say(line)}</p>" for line in text.splitlines())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are escaped here; the first of a row is its header."""
    return table_of_html(head, [[say(cell) for cell in row] for row in rows])


def table_of_html(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """The same of cells that are HTML already; ``kind`` are classes for the style sheet."""
    top = "".join(f'<th scope="col">{say(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>' for row in rows
    )
    classes = f' class="{kind}"' if kind else ""
    return f"<table{classes}><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def there(*paths: str) -> str:
    """For a link: the first of these files that is there, from the folder of the notebook, where its kernel works."""
    return next((path for path in paths if Path(path).is_file()), "")


@cache
def _boxes(value: str) -> str:
    return "".join(f"<i>{bit}</i>" if bit == "0" else f"<i><b>{bit}</b></i>" for bit in value)


def _status(status: ExitStatus) -> str:
    groups = "".join(
        f'<div{" class=on" if counts else ""}><div role="img" aria-label="{where}: {value}">{_boxes(value)}</div>'
        f"<small>{where}</small><strong>{say(meaning)}</strong><code>{escape(formula)}</code></div>"
        for where, value, meaning, formula, counts in plain.status_groups(status)
    )
    words = f"wait status {status.raw}: {plain.status_words(status)}"
    return f'<div class="bits">{groups}</div><p>{say(words)}</p>'


def status_html(status: ExitStatus) -> str:
    """The 16 bits of a wait status and the macros that read them (wait(2))."""
    return card(_status(status) + table(plain.MACROS_HEAD, plain.status_macros(status)), "wait status")


def _steps(value: RunResult | Sequence[StepReport]) -> str:
    from udock_lab.display.lanes import lanes_html
    from udock_lab.display.timeline import drawn

    return lanes_html(drawn(value))


def steps_html(steps: Sequence[StepReport]) -> str:
    """Two lanes, parent and child; time runs down, in microseconds since the first step."""
    return card(_steps(steps), "timeline of parent and child")


def _line(record: Record, changed: Sequence[str]) -> str:
    """The line of containers.db, its changed fields marked."""
    fields = plain.record_line(record).split("|", 6)
    shown = (
        f"<mark>{say(value)}</mark>" if name in changed and value else say(value)
        for name, value in zip(plain.FIELDS, fields, strict=True)
    )
    return "|".join(shown)


def _record(before: Record | None, after: Record | None) -> str:
    changed = plain.changed_fields(before, after)
    old, new = (plain.record_line(r).split("|", 6) if r else [""] * 7 for r in (before, after))
    rows = []
    for name, was, now in zip(plain.FIELDS, old, new, strict=True):
        shown = f"<strong>{say(now) or 'empty'}</strong> <small>← changed</small>" if name in changed else say(now)
        empty = "<small>empty</small>" if before and not was else ""
        rows.append(f'<tr><th scope="row">{name}</th><td>{say(was) or empty}</td><td>{shown}</td></tr>')
    lines = "".join(
        f"<div><small>{when}</small> <code>{_line(record, marked)}</code></div>"
        for when, record, marked in (("while running", before, ()), ("at the end", after, changed))
        if record
    )
    return (
        f'<div class="lines">{lines}</div><table><thead><tr><th scope="col">field</th>'
        '<th scope="col">while running</th><th scope="col">at the end</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def record_html(before: Record | None, after: Record | None) -> str:
    """The record after phase 1 and phase 2, what changed marked by a word."""
    return card(_record(before, after), "record before and after")


def details(title: str, body: str, *, is_open: bool) -> str:
    """A part that folds."""
    return f"<details{' open' if is_open else ''}><summary>{title}</summary>{body}</details>"


def _mood(run: RunResult) -> tuple[str, str]:
    """Class and sign of the verdict; the sentence beside it says the same in words."""
    if run.failure is not None:
        return "bad", "✖"
    if run.exit_status is None:
        return "", "●"
    if run.exit_status.signaled:
        return "bad", "⚡"
    return ("good", "✔") if run.exit_code == 0 else ("some", "▲")


def run_html(run: RunResult) -> str:
    """The card of one run: how it ended, the bits, the timeline, the record."""
    mood, sign = _mood(run)
    said = plain.verdict(run).splitlines() or [""]
    body = (
        f"<header><b>{say(run.id)}</b><span>{say(run.image)}</span>"
        f"<code>{escape(plain.command_line(run.argv))}</code></header>"
        f'<p class="verdict {mood}"><span aria-hidden="true">{sign}</span> {say(said[0])}</p>'
    )
    body += paragraphs("\n".join(said[1:]))
    if run.failure and run.failure.hint:
        body += paragraphs(run.failure.hint, "hint")
    body += f"<p><small>isolation</small> {say(plain.isolation_sentence(run))}</p>"
    if run.signals:
        body += f"<p><small>signals</small> {say(plain.signals_sentence(run.signals))}</p>"
    body += "".join(paragraphs(note, "note") for note in run.notes)
    if run.exit_status:
        body += details("Wait status, bit by bit", _status(run.exit_status), is_open=True)
    if run.steps:
        body += details("Parent and child, call by call", _steps(run), is_open=True)
    if run.snapshots:
        from udock_lab.display.snapshots import changes_body

        body += details("What the steps changed in the process", changes_body(run), is_open=True)
    if run.before or run.after:
        body += details("Record before and after", _record(run.before, run.after), is_open=False)
    return card(body, f"container {run.id}")


def ps_html(containers: Sequence[Container], *, whole: bool = False) -> str:
    """Running and ended containers."""
    return card(table(plain.PS_HEAD, plain.ps_rows(containers, whole=whole)), "containers")


def images_html(images: Sequence[Image]) -> str:
    """All images."""
    return card(table(plain.IMAGES_HEAD, plain.images_rows(images)), "images")


def inspect_html(inspection: Inspection) -> str:
    """JSON, as docker inspect prints it."""
    return card(f'<pre tabindex="0">{escape(plain.inspect_text(inspection))}</pre>', "inspection")


def doctor_html(report: DoctorReport) -> str:
    """The rung of the ladder, then each feature that was tried."""
    rungs = "".join(
        f'<li aria-current="true"><b>{rung}</b> this machine</li>' if rung == report.rung else f"<li>{rung}</li>"
        for rung in _RUNGS
    )
    head = f'<p class="verdict">Rung {say(report.rung)}: {say(report.summary)}</p><ol class="rungs">{rungs}</ol>'
    rows = [[f.name, "✔ yes" if f.works else "✖ NO", f.detail, "" if f.works else f.remedy] for f in report.features]
    foot = f"<p>{say(plain.settings_line(report))}</p>" if report.settings else ""
    body = head + table(("feature", "works", "what was seen", "what to do"), rows) + foot
    return card(body, "what this machine permits")


def to_html(value: object) -> str:
    """The HTML form of any result."""
    forms: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (RunResult, run_html),
        (DoctorReport, doctor_html),
        (Inspection, inspect_html),
        (ExitStatus, status_html),
        (Container, lambda container: ps_html([container])),
        (Image, lambda image: images_html([image])),
        (Record, lambda record: card(f"<pre>{_line(record, ())}</pre>", f"record of {record.id}")),
    )
    for kind, form in forms:
        if isinstance(value, kind):
            return form(value)
    if isinstance(value, ProcessNode):
        from udock_lab.display.tree import tree_html

        return tree_html(value)
    if isinstance(value, SandboxResult):
        from udock_lab.display.sandbox import sandbox_html

        return sandbox_html(value)
    lines = "\n".join(say(line) for line in plain.to_text(value).splitlines())
    return card(f"<pre>{lines}</pre>", "result")
