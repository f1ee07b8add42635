"""The text of one run: the same for the same run, whatever its pid, times and home."""

from __future__ import annotations

from collections.abc import Sequence

from udock_lab.display.eliding import elided, in_order
from udock_lab.display.tables import table
from udock_lab.display.text.changes import changes_text
from udock_lab.display.text.records import record_text
from udock_lab.display.text.status import bits, ending, shell_words
from udock_lab.display.text.timeline import lanes_text
from udock_lab.display.timeline import drawn
from udock_lab.model import (
    Isolation,
    RunResult,
    Signals,
    StepReport,
)
from udock_lab.text.shellwords import command_line
from udock_lab.text.terminal import printable

__all__ = ["isolation_sentence", "run_text", "signals_sentence", "steps_text", "verdict"]

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


def isolation_sentence(run: RunResult) -> str:
    """Say how far the program was shut in."""
    return ISOLATION[run.isolation]


def signals_sentence(signals: Signals) -> str:
    """Say what the guard around a notebook's containers refuses."""
    return SIGNALS[signals]


def verdict(run: RunResult) -> str:
    """Say in one sentence what became of the run."""
    if run.failure:
        code = run.failure.exit_code if run.exit_code is None else run.exit_code
        return f"never started (exit code {code}): {run.failure.message}"
    status = run.exit_status
    if status is None:
        return "runs in the background"
    return ending(status) + (f", shell code {status.shell_code}" if status.signaled else "")


def run_text(run: RunResult) -> str:
    """Return the card of one run."""
    lines = [f"{printable(run.id)}  {printable(run.image)}  {command_line(run.argv)}"]
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
        lines += ["  " + line for line in changes_text(run).split("\n")]
    return "\n".join(lines)


def _lines(text: str, run: RunResult) -> list[str]:
    """Part a message into its lines, each without what differs from machine to machine."""
    return [printable(elided(line, run)) for line in text.splitlines()]


def _entry(label: str, text: str, run: RunResult) -> list[str]:
    lines = _lines(text, run)
    return [f"  {label if number == 0 else '':<13}{line}" for number, line in enumerate(lines)]


def steps_text(steps: Sequence[StepReport] | RunResult, *, measured: bool = True) -> str:
    """Return who did what, with its result; ``measured`` adds microseconds since the first step and duration."""
    if not measured:
        return lanes_text(drawn(steps))
    ordered = in_order(steps.steps if isinstance(steps, RunResult) else steps)
    if not ordered:
        return "no steps were reported"
    rows = []
    for step in ordered:
        mark = "FAILED" if step.errno else "ok"
        start, took = (step.start - ordered[0].start) / 1000, (step.end - step.start) / 1000
        rows.append(
            [f"{start:8.0f}", f"{took:7.0f}", printable(step.who), mark, printable(step.call), printable(step.result)]
        )
    return table(["START us", "TOOK us", "WHO", "", "CALL", "RESULT"], rows)
