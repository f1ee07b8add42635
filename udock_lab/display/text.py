"""The text forms: what a terminal, nbval and a screen reader get."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from udock_lab.model import (
    Container,
    DoctorReport,
    ExitStatus,
    Image,
    Inspection,
    Isolation,
    ProcessNode,
    Record,
    RunResult,
    SandboxResult,
    Signals,
    StepReport,
)
from udock_lab.text.columns import columns, cut, padded

__all__ = [
    "FIELDS",
    "IMAGES_HEAD",
    "MACROS_HEAD",
    "PS_HEAD",
    "bits",
    "changed_fields",
    "clean",
    "command_line",
    "doctor_text",
    "duration",
    "elided",
    "ending",
    "images_rows",
    "images_text",
    "inspect_text",
    "isolation_sentence",
    "ps_rows",
    "ps_text",
    "record_line",
    "record_text",
    "run_text",
    "shell_words",
    "shown_steps",
    "signals_sentence",
    "size",
    "status_groups",
    "status_macros",
    "status_text",
    "status_words",
    "steps_text",
    "table",
    "to_text",
    "uptime",
    "verdict",
    "without_pid",
]

ISOLATION = {
    Isolation.CHROOT: "chroot: the program's / is the image",
    Isolation.USERNS: "chroot inside a user namespace: root in there, an ordinary user outside",
    Isolation.CHDIR: "chdir only: chroot was refused, so / is still this machine's",
}
SIGNALS = {
    Signals.FILTERED: "kill(-1) is refused: it would end this notebook, too (seccomp; without it: --no-guard)",
    Signals.UNPRIVILEGED: "kill(-1) is refused: it would end this notebook, too (seccomp; without it: --no-guard); "
    "that needs no_new_privs, so setuid programs give no privileges",
    Signals.OPEN: "kill(-1) would end this notebook, too: this machine takes no filter against it",
}
FIELDS = ("container_id", "pid", "image_name", "status", "start_time", "end_time", "exit_code")
PS_HEAD = ("CONTAINER ID", "IMAGE", "COMMAND", "STATUS", "PID", "UPTIME", "STARTED", "EXIT")
IMAGES_HEAD = ("IMAGE", "CREATED", "ROOTFS")
_COMMAND_WIDTH = 32  # columns of a command that ps shows
_NUMBER = re.compile(r"\d+")
_OTHERS_PID = re.compile(r"/proc/\d+/")


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


def size(count: int) -> str:
    """Bytes as a person reads them, in powers of 1024: ``0 B``, ``1.5 KiB``, ``12 MiB``."""
    if abs(count) < 1024:
        return f"{count} B"
    amount, units = count / 1024, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while abs(amount) >= 1023.5 and len(units) > 1:  # would be shown as 1024: that is 1.0 of the next unit
        amount /= 1024
        del units[0]
    unit = units[0]
    return f"{amount:.1f} {unit}" if abs(amount) < 9.95 else f"{amount:.0f} {unit}"


def duration(nanoseconds: int) -> str:
    """As a person reads it: ``12 µs``, ``54.0 ms``, ``1.20 s``."""
    if nanoseconds < 10_000_000:
        return f"{nanoseconds / 1000:,.0f} µs"
    return f"{nanoseconds / 1e6:.1f} ms" if nanoseconds < 1_000_000_000 else f"{nanoseconds / 1e9:.2f} s"


def command_line(argv: Sequence[str]) -> str:
    """The words as a shell would take them, so that where one argument ends can be seen."""
    return clean(shlex.join(argv))


def bits(status: ExitStatus) -> str:
    """The 16 bits: exit code, core flag, signal."""
    text = f"{status.raw & 0xFFFF:016b}"
    return f"{text[:8]} {text[8]} {text[9:]}"


def ending(status: ExitStatus) -> str:
    """One sentence: how it ended."""
    if status.code is not None:
        return f"exited with code {status.code}"
    if status.signal is None:  # bits 0-6 all set: waitpid with WUNTRACED tells of a stop like this
        return "has not ended: the low seven bits are all 1, which means stopped"
    said = f"ended by {status.signal_name} (signal {status.signal})"
    if status.signal_name == "SIGXCPU":
        said += ": it used up its processor time"
    return said + (", core dumped" if status.core_dumped else "")


def shell_words(status: ExitStatus) -> str:
    """What ``$?`` would be, and the sum behind it where there is one."""
    if status.signal is None:
        return f"$? = {status.shell_code}"
    return f"$? = 128 + {status.signal} = {status.shell_code}"


def status_words(status: ExitStatus) -> str:
    """How it ended, and what a shell says of it; a process that is only stopped has not ended."""
    ended = status.exited or status.signaled
    return f"{ending(status)}; in a shell {shell_words(status)}" if ended else ending(status)


def status_groups(status: ExitStatus) -> tuple[tuple[str, str, str, str, bool], ...]:
    """The three groups of bits: where, the bits, what they say, how to get at them, and whether they count here."""
    code, core, number = bits(status).split()
    raw = status.raw & 0xFFFF
    high, flag, low = raw >> 8 & 0xFF, raw & 0x80, raw & 0x7F
    if status.exited:
        said = (f"exit code {high}", "core dumped: no", "no signal")
    elif status.signaled:
        said = ("no exit code", f"core dumped: {'yes' if flag else 'no'}", f"signal {low} = {status.signal_name}")
    else:
        said = (f"stopped by signal {high}", "no core flag", "stopped, not ended")
    return (
        ("bits 8-15", code, said[0], f"status >> 8 & 0xff = {high}", not status.signaled),
        ("bit 7", core, said[1], f"status & 0x80 = {flag}", status.signaled),
        ("bits 0-6", number, said[2], f"status & 0x7f = {low}", True),
    )


def status_macros(status: ExitStatus) -> tuple[tuple[str, str, str, str], ...]:
    """Each macro of wait(2): its name, the bits it reads, what it asks or computes, and its answer here."""
    raw, none = status.raw & 0xFFFF, "-"
    stopped = os.WIFSTOPPED(raw)

    def answer(yes: bool) -> str:
        return "true" if yes else "false"

    return (
        ("WIFEXITED", "0-6", "all 0?", answer(status.exited)),
        ("WEXITSTATUS", "8-15", "the exit code, where WIFEXITED", none if status.code is None else str(status.code)),
        ("WIFSIGNALED", "0-6", "neither all 0 nor all 1?", answer(status.signaled)),
        ("WTERMSIG", "0-6", "the signal, where WIFSIGNALED", none if status.signal is None else str(status.signal)),
        ("WCOREDUMP", "7", "1? asked where WIFSIGNALED", answer(status.core_dumped) if status.signaled else none),
        ("WIFSTOPPED", "0-7", "equal to 0x7f? only with WUNTRACED", answer(stopped)),
        ("WSTOPSIG", "8-15", "the signal, where WIFSTOPPED", str(os.WSTOPSIG(raw)) if stopped else none),
    )


MACROS_HEAD = ("MACRO", "READS BITS", "WHAT IT ASKS", "HERE")


def status_text(status: ExitStatus) -> str:
    """The wait status, bit by bit, and what each macro of wait(2) makes of it."""
    groups = [[where, value, meaning, formula] for where, value, meaning, formula, _ in status_groups(status)]
    lines = [f"wait status {status.raw} = {bits(status)}"]
    lines += table(("BITS", "", "MEANING", "FORMULA"), groups).splitlines()
    lines += ["", *table(MACROS_HEAD, status_macros(status)).splitlines(), ""]
    lines.append(status_words(status))
    return "\n".join([lines[0], *(f"  {line}".rstrip() for line in lines[1:])])


def _home_of(run: RunResult) -> str:
    return run.log_path.rpartition("/logs/")[0]


def elided(text: str, run: RunResult | None) -> str:
    """Without what differs from machine to machine: the home's path and the pid of another container."""
    home = _home_of(run) if run else ""
    if home:
        text = text.replace(home, "...")
    return _OTHERS_PID.sub("/proc/<pid>/", text) if "/proc/" in text else text


def _pid_elided(text: str, pid: str) -> str:
    """Without the first number that is this pid. A pattern for each pid would have to be compiled for each run."""
    for number in _NUMBER.finditer(text):
        if number[0] == pid:
            return f"{text[: number.start()]}<pid>{text[number.end() :]}"
    return text


def without_pid(step: StepReport, run: RunResult | None) -> tuple[str, str]:
    """Call and result of a step without paths and pids; a learner's own argument that looks like the pid stays."""
    call, result = elided(step.call, run), elided(step.result, run)
    if run is not None and run.pid and step.who == "parent":
        call, result = _pid_elided(call, str(run.pid)), _pid_elided(result, str(run.pid))
    return clean(call), clean(result)


def shown_steps(steps: Sequence[StepReport]) -> list[StepReport]:
    """In the order of time."""
    return sorted(steps, key=lambda step: step.start)


def steps_text(steps: Sequence[StepReport] | RunResult, *, measured: bool = True) -> str:
    """Who did what, with its result; ``measured`` adds microseconds since the first step and duration."""
    if not measured:
        from udock_lab.display.timeline import drawn, lanes_text

        return lanes_text(drawn(steps))
    ordered = shown_steps(steps.steps if isinstance(steps, RunResult) else steps)
    if not ordered:
        return "no steps were reported"
    rows = []
    for step in ordered:
        mark = "FAILED" if step.errno else "ok"
        start, took = (step.start - ordered[0].start) / 1000, (step.end - step.start) / 1000
        rows.append([f"{start:8.0f}", f"{took:7.0f}", clean(step.who), mark, clean(step.call), clean(step.result)])
    return table(["START us", "TOOK us", "WHO", "", "CALL", "RESULT"], rows)


def record_line(record: Record, *, measured: bool = True) -> str:
    """The line of containers.db."""
    code = "" if record.exit_code is None else str(record.exit_code)
    pid, start = (str(record.pid), record.start_time) if measured else ("<pid>", "<start>")
    end = (record.end_time or "") if measured or not record.end_time else "<end>"
    return f"{record.id}|{pid}|{record.image}|{record.status.value}|{start}|{end}|{code}"


def changed_fields(before: Record | None, after: Record | None) -> tuple[str, ...]:
    """The names of the fields that phase 2 changed."""
    if before is None or after is None:
        return ()
    pairs = (
        (before.id, after.id),
        (before.pid, after.pid),
        (before.image, after.image),
        (before.status, after.status),
        (before.start_time, after.start_time),
        (before.end_time, after.end_time),
        (before.exit_code, after.exit_code),
    )
    return tuple(name for name, (old, new) in zip(FIELDS, pairs, strict=True) if old != new)


def record_text(before: Record | None, after: Record | None, *, measured: bool = True) -> str:
    """The record after phase 1 and after phase 2."""
    lines = []
    if before:
        lines.append(f"record while running  {clean(record_line(before, measured=measured))}")
    if after:
        lines.append(f"record at the end     {clean(record_line(after, measured=measured))}")
    if before and after:
        lines.append(f"changed               {', '.join(changed_fields(before, after)) or 'nothing'}")
    return "\n".join(lines) or "no record"


def isolation_sentence(run: RunResult) -> str:
    """How far the program was shut in."""
    return ISOLATION[run.isolation]


def signals_sentence(signals: Signals) -> str:
    """What the guard around a notebook's containers refuses."""
    return SIGNALS[signals]


def verdict(run: RunResult) -> str:
    """One sentence: what became of it."""
    if run.failure:
        code = run.failure.exit_code if run.exit_code is None else run.exit_code
        return f"never started (exit code {code}): {run.failure.message}"
    status = run.exit_status
    if status is None:
        return "runs in the background"
    return ending(status) + (f", shell code {status.shell_code}" if status.signaled else "")


def _lines(text: str, run: RunResult) -> list[str]:
    """A message of several lines stays one; each line is clean."""
    return [clean(elided(line, run)) for line in text.splitlines()]


def _entry(label: str, text: str, run: RunResult) -> list[str]:
    lines = _lines(text, run)
    return [f"  {label if number == 0 else '':<13}{line}" for number, line in enumerate(lines)]


def run_text(run: RunResult) -> str:
    """The card of one run: the same text for the same run, whatever its pid, times and home."""
    lines = [f"{clean(run.id)}  {clean(run.image)}  {command_line(run.argv)}"]
    lines += [f"  {line}" for line in _lines(verdict(run), run)]
    if run.failure and run.failure.hint:
        lines += [f"  {line}" for line in _lines(run.failure.hint, run)]
    lines += _entry("isolation", isolation_sentence(run), run)
    if run.signals:
        lines += _entry("signals", signals_sentence(run.signals), run)
    if run.exit_status:
        lines += _entry("wait status", f"{run.exit_status.raw} = {bits(run.exit_status)}", run)
        lines += _entry("shell code", shell_words(run.exit_status), run)
    for note in run.notes:
        lines += _entry("note", note, run)
    if run.before or run.after:
        lines += ["  " + line for line in record_text(run.before, run.after, measured=False).split("\n")]
    if run.steps and not run.detached:
        lines += ["  " + line for line in steps_text(run, measured=False).split("\n")]
    if run.snapshots:
        from udock_lab.display.snapshots import changes_text

        lines += ["  " + line for line in changes_text(run).split("\n")]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned by blanks."""
    cells = [list(head), *[list(row) for row in rows]]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(padded, row, widths)).rstrip() for row in cells)


def ps_rows(containers: Sequence[Container], *, whole: bool = False) -> list[list[str]]:
    """One row a container, every cell clean; ``whole``: commands however long."""
    rows = []
    for c in containers:
        rows.append(
            [
                clean(c.id),
                clean(c.record.image),
                clean(c.command) if whole else cut(clean(c.command), _COMMAND_WIDTH),
                clean(c.state),
                str(c.record.pid),
                uptime(c.uptime) if c.alive else "-",
                clean(c.record.start_time),
                "-" if c.record.exit_code is None else str(c.record.exit_code),
            ]
        )
    return rows


def ps_text(containers: Sequence[Container], *, whole: bool = False) -> str:
    """Running and ended containers."""
    return table(PS_HEAD, ps_rows(containers, whole=whole))


def images_rows(images: Sequence[Image]) -> list[list[str]]:
    """One row an image, every cell clean."""
    return [[clean(i.name), clean(i.created), clean(i.rootfs)] for i in images]


def images_text(images: Sequence[Image]) -> str:
    """All images."""
    return table(IMAGES_HEAD, images_rows(images))


def inspect_text(inspection: Inspection) -> str:
    """JSON of one object, strict whatever bytes are in it."""
    from udock_lab.text.strictjson import strict_json

    return strict_json(inspection.data, indent=2)


def doctor_text(report: DoctorReport) -> str:
    """The rung of the ladder, then each feature that was tried."""
    lines = [f"Rung {clean(report.rung)}: {clean(report.summary)}", ""]
    names = [clean(f.name) for f in report.features]
    width = max(map(columns, names), default=0)
    for feature, name in zip(report.features, names, strict=True):
        lines.append(f"  {'yes' if feature.works else 'NO ':3}  {padded(name, width)}  {clean(feature.detail)}")
        if not feature.works and feature.remedy:
            lines.append(f"       {' ' * width}  -> {clean(feature.remedy)}")
    if report.settings:
        lines += ["", settings_line(report)]
    return "\n".join(lines)


def settings_line(report: DoctorReport) -> str:
    """What the home is set to, in one line."""
    found = ", ".join(f"{clean(name)} {'on' if value else 'off'}" for name, value in report.settings)
    return f"The defaults of this home (mdock config): {found}"


def _tree(node: ProcessNode) -> str:
    from udock_lab.display.tree import tree_text

    return tree_text(node)


def to_text(value: object) -> str:
    """The text form of any result."""
    forms: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (RunResult, run_text),
        (DoctorReport, doctor_text),
        (Inspection, inspect_text),
        (ExitStatus, status_text),
        (Container, lambda container: ps_text([container])),
        (Image, lambda image: images_text([image])),
        (Record, lambda record: clean(record_line(record))),
        (ProcessNode, _tree),
    )
    for kind, form in forms:
        if isinstance(value, kind):
            return form(value)
    if isinstance(value, SandboxResult):
        from udock_lab.display.sandbox import sandbox_text

        return sandbox_text(value)
    return str(value)
