"""The text forms: what a terminal, nbval and a screen reader get."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from udock_lab.model import (
    Container,
    DoctorReport,
    ExitStatus,
    Image,
    Inspection,
    Isolation,
    Record,
    RunResult,
    StepReport,
)

__all__ = [
    "bits",
    "clean",
    "doctor_text",
    "ending",
    "images_text",
    "inspect_text",
    "isolation_sentence",
    "ps_rows",
    "ps_text",
    "record_line",
    "record_text",
    "run_text",
    "shown_steps",
    "status_text",
    "steps_text",
    "table",
    "to_text",
    "uptime",
]

ISOLATION = {
    Isolation.CHROOT: "chroot: the program's / is the image",
    Isolation.USERNS: "chroot inside a user namespace: root in there, an ordinary user outside",
    Isolation.CHDIR: "chdir only: chroot was refused, so / is still this machine's",
}


def clean(text: str) -> str:
    """Control characters as escapes: a file name cannot move the cursor."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == " " else c.encode("unicode_escape", "backslashreplace").decode() for c in text
    )


def uptime(seconds: float | None) -> str:
    """Seconds as HH:MM:SS; never negative, hours may pass 99."""
    whole = max(0, int(seconds or 0))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def bits(status: ExitStatus) -> str:
    """The 16 bits: exit code, core flag, signal."""
    text = f"{status.raw & 0xFFFF:016b}"
    return f"{text[:8]} {text[8]} {text[9:]}"


def ending(status: ExitStatus) -> str:
    """One sentence: how it ended."""
    if status.code is not None:
        return f"exited with code {status.code}"
    said = f"ended by {status.signal_name} (signal {status.signal})"
    if status.signal_name == "SIGXCPU":
        said += ": it used up its processor time"
    return said + (", core dumped" if status.core_dumped else "")


def status_text(status: ExitStatus) -> str:
    """The wait status, bit by bit (wait(2))."""
    code, core, number = bits(status).split()
    return "\n".join(
        (
            f"wait status {status.raw} = {code} {core} {number}",
            f"  bits 8-15  {code}  exit code {int(code, 2)}" + ("  <- WEXITSTATUS" if status.exited else ""),
            f"  bit  7     {core:>8}  core dumped: {'yes' if status.core_dumped else 'no'}",
            f"  bits 0-6    {number}  signal {int(number, 2)}" + ("  <- WTERMSIG" if status.signaled else ""),
            f"  {ending(status)}; a shell says $? = {status.shell_code}",
        )
    )


def _elided(text: str, run: RunResult | None) -> str:
    """Without what differs from machine to machine: the home's path and the pid."""
    if run is not None:
        home = run.log_path.rpartition("/logs/")[0]
        if home:
            text = text.replace(home, "...")
        text = text.replace(str(run.pid), "<pid>") if run.pid else text
    return clean(text)


def shown_steps(steps: Sequence[StepReport]) -> list[StepReport]:
    """In the order of time."""
    return sorted(steps, key=lambda step: step.start)


def steps_text(steps: Sequence[StepReport] | RunResult, *, measured: bool = True) -> str:
    """Who did what, with its result; ``measured`` adds microseconds since the first step and duration."""
    run = steps if isinstance(steps, RunResult) else None
    ordered = shown_steps(run.steps if run else steps)  # type: ignore[arg-type]
    if not ordered:
        return "no steps were reported"
    if not measured:  # the order in time of two processes may vary: parent first, then child
        ordered = [s for s in ordered if s.who == "parent"] + [s for s in ordered if s.who != "parent"]
    rows = []
    for step in ordered:
        mark = "FAILED" if step.errno else "ok"
        call, result = (
            (clean(step.call), clean(step.result)) if measured else (_elided(step.call, run), _elided(step.result, run))
        )
        row = [step.who, mark, call, result]
        if measured:
            row = [f"{(step.start - ordered[0].start) / 1000:9.0f}", f"{(step.end - step.start) / 1000:7.0f}", *row]
        rows.append(row)
    head = ["WHO", "", "CALL", "RESULT"]
    return table(["START us", "TOOK us", *head] if measured else head, rows)


def record_line(record: Record, *, measured: bool = True) -> str:
    """The line of containers.db."""
    code = "" if record.exit_code is None else str(record.exit_code)
    pid, start = (str(record.pid), record.start_time) if measured else ("<pid>", "<start>")
    end = (record.end_time or "") if measured or not record.end_time else "<end>"
    return f"{record.id}|{pid}|{record.image}|{record.status.value}|{start}|{end}|{code}"


def record_text(before: Record | None, after: Record | None, *, measured: bool = True) -> str:
    """The record after phase 1 and after phase 2."""
    lines = []
    if before:
        lines.append(f"record while running  {clean(record_line(before, measured=measured))}")
    if after:
        lines.append(f"record at the end     {clean(record_line(after, measured=measured))}")
    return "\n".join(lines) or "no record"


def isolation_sentence(run: RunResult) -> str:
    """How far the program was shut in."""
    return ISOLATION[run.isolation]


def verdict(run: RunResult) -> str:
    """One sentence: what became of it."""
    if run.failure:
        return f"never started (exit code {run.exit_code}): {run.failure.message}"
    if run.exit_status is None:
        return "runs in the background"
    return ending(run.exit_status)


def run_text(run: RunResult) -> str:
    """The card of one run."""
    command = " ".join(run.argv)
    lines = [f"{run.id}  {run.image}  {clean(command)}", f"  {clean(verdict(run))}"]
    if run.failure and run.failure.hint:
        lines.append(f"  {clean(run.failure.hint)}")
    lines.append(f"  isolation    {isolation_sentence(run)}")
    if run.exit_status:
        lines.append(f"  wait status  {run.exit_status.raw} = {bits(run.exit_status)}, shell code {run.exit_code}")
    lines += [f"  note         {clean(_elided(note, run))}" for note in run.notes]
    if run.before or run.after:
        lines += ["  " + line for line in record_text(run.before, run.after, measured=False).split("\n")]
    if run.steps and not run.detached:
        lines += ["  " + line for line in steps_text(run, measured=False).split("\n")]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned by blanks."""
    cells = [list(head), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


PS_HEAD = ("CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "PID", "UPTIME", "STARTED", "EXIT")


def ps_rows(containers: Sequence[Container]) -> list[list[str]]:
    """One row a container."""
    rows = []
    for c in containers:
        command = clean(c.command)
        rows.append(
            [
                c.id,
                c.record.image,
                command if len(command) <= 32 else command[:31] + "…",
                c.state,
                str(c.record.pid),
                uptime(c.uptime) if c.alive else "-",
                c.record.start_time,
                "-" if c.record.exit_code is None else str(c.record.exit_code),
            ]
        )
    return rows


def ps_text(containers: Sequence[Container]) -> str:
    """Running and ended containers."""
    return table(PS_HEAD, ps_rows(containers))


def images_text(images: Sequence[Image]) -> str:
    """All images."""
    return table(("IMAGE", "CREATED", "ROOTFS"), [[i.name, i.created, clean(i.rootfs)] for i in images])


def inspect_text(inspection: Inspection) -> str:
    """JSON, as docker inspect prints it."""
    return json.dumps(inspection.data, indent=2, default=str)


def doctor_text(report: DoctorReport) -> str:
    """The rung of the ladder, then each feature that was tried."""
    lines = [f"Rung {report.rung}: {report.summary}", ""]
    width = max((len(f.name) for f in report.features), default=0)
    for feature in report.features:
        lines.append(f"  {'yes' if feature.works else 'NO ':3}  {feature.name.ljust(width)}  {clean(feature.detail)}")
        if not feature.works and feature.remedy:
            lines.append(f"       {' ' * width}  -> {clean(feature.remedy)}")
    return "\n".join(lines)


def to_text(value: object) -> str:
    """The text form of any result."""
    forms: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (RunResult, run_text),
        (DoctorReport, doctor_text),
        (Inspection, inspect_text),
        (ExitStatus, status_text),
    )
    for kind, form in forms:
        if isinstance(value, kind):
            return form(value)
    if isinstance(value, Record):
        return clean(record_line(value))
    return str(value)
