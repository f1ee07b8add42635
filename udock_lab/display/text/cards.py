"""What a lesson says: questions, verdicts, progress."""

from __future__ import annotations

from udock_lab.display.tables import table
from udock_lab.display.text.forms import to_text
from udock_lab.model import (
    CardBox,
    CardChoices,
    CardLines,
    CardMap,
    CardTable,
    CardText,
    LessonCard,
)
from udock_lab.text.terminal import printable

__all__ = ["lesson_text", "listing"]


def lesson_text(shown: LessonCard) -> str:
    """Return headline, parts, and the text form of the result, if there is one."""
    lines = [_lines(shown.headline)]
    for part in shown.parts:
        lines += _part_text(part)
    if shown.result is not None:
        lines += _indented(to_text(shown.result))
    return "\n".join(lines)


def _part_text(part: CardText | CardChoices | CardLines | CardTable | CardMap) -> list[str]:
    if isinstance(part, CardText):
        before = "note: " if part.kind == "note" else ""
        return _indented(before + _lines(part.text))
    if isinstance(part, CardChoices):
        return [f"  ({'x' if label == part.chosen else ' '}) {printable(label)}" for label in part.labels]
    if isinstance(part, CardLines):
        return [f"  {part.title}:", *(f"    {line}" for line in listing(part))]
    if isinstance(part, CardMap):
        return (
            [f"  {' | '.join(map(_small, part.boxes))}"] if part.strip else [f"  {_large(box)}" for box in part.boxes]
        )
    return ["", *_indented(table(part.head, part.rows))]


def _small(box: CardBox) -> str:
    state = f" {box.state}" if box.state else ""
    return printable(f"[{box.short}{state}]" if box.here else f"{box.short}{state}")


def _large(box: CardBox) -> str:
    here = " (you are here)" if box.here else ""
    said = " · ".join([f"{box.short} {box.title}{here}", *box.notes])
    return printable(f"[{box.state or ' ':^8}] {said}")


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.splitlines())


def _indented(text: str) -> list[str]:
    return [f"  {line}" if line else "" for line in text.splitlines()]


def listing(part: CardLines) -> list[str]:
    """Return the lines, each behind its number where they have numbers; a line of several is one entry."""
    width = max((len(str(number)) for number in part.numbers), default=0)
    shown = []
    for place, line in enumerate(part.lines):
        number = f"{part.numbers[place]:>{width}}  " if part.numbers else ""
        first, *more = line.split("\n")
        shown += [number + printable(first), *(" " * len(number) + printable(below) for below in more)]
    return shown
