"""A check's report: expected, seen, the first cause only, where to read."""

from __future__ import annotations

from udock_lab.model import (
    CheckReport,
    Judgement,
)
from udock_lab.text.columns import columns, padded
from udock_lab.text.terminal import printable

__all__ = ["check_text", "hint_text", "points", "total", "witness"]


def points(number: float) -> str:
    """Write a number of points: ``3``, ``2.5``."""
    return f"{number:g}"


def total(report: CheckReport) -> str:
    """Write what was earned; where there is nothing to earn, whether it is done; before that, what is to be written."""
    if report.waits:
        return f"waits for you: {' and '.join(report.unwritten)}"
    if report.out_of:
        return f"{points(report.points)} of {points(report.out_of)} points"
    return "done" if all(one.passed for one in report.judgements) else "not done yet"


def check_text(report: CheckReport) -> str:
    """Return one block a requirement: its mark, its name, the evidence; below a failure, what it looks like."""
    head = f"{report.title}"
    width = max([columns(j.requirement.name) for j in report.judgements], default=0)
    lines = [f"{padded(head, width + 8)}  {total(report)}"]
    for judgement in report.judgements:
        lines += _lines(judgement, width)
    lines += [f"  note  {line}" for note in report.notes for line in note.splitlines()]
    return "\n".join(map(printable, lines))  # what a learner's code has said moves no cursor


def _mark(judgement: Judgement) -> str:
    return {True: "ok", False: "NOT", None: "-"}[judgement.passed]


def _lines(judgement: Judgement, width: int) -> list[str]:
    mark, name = _mark(judgement), padded(judgement.requirement.name, width)
    if judgement.passed is None:
        return [f"  {mark:<4}  {name}  {judgement.why}"]
    if judgement.passed:
        seen = f"  {witness(judgement)}: {judgement.seen}" if judgement.seen else ""
        return [f"  {mark:<4}  {name}{seen}"]
    indent = " " * 8
    lines = [f"  {mark:<4}  {name}  expected {judgement.expected}", f"{indent}{' ' * width}  seen {judgement.seen}"]
    if judgement.looks_like:
        lines.append(f"{indent}this looks like: {judgement.looks_like}")
    lines.append(f"{indent}read: {judgement.requirement.lesson}")
    if judgement.again:
        lines.append(f"{indent}see it happen: {judgement.again}")
    return lines


def witness(judgement: Judgement) -> str:
    """Say who saw it."""
    return "kernel saw" if judgement.by == "kernel" else "its effect"


def hint_text(judgement: Judgement, number: int) -> str:
    """Return the hint of that number (from 0), with how many there are; the last one again when they have run out."""
    hints = judgement.requirement.hints
    if not hints:
        return f"No hint is written for this one. Read: {judgement.requirement.lesson}"
    at = min(number, len(hints) - 1)
    return f"Hint {at + 1} of {len(hints)}: {hints[at]}"
