"""A traced program stop by stop, as text: who, on which line, what it called, and what that changed."""

from __future__ import annotations

from collections.abc import Iterator

from udock_lab.display.walk import Stop, Walk, held_up, walked
from udock_lab.model import SandboxResult
from udock_lab.text.terminal import printable

__all__ = ["stop_text", "walk_text"]


def walk_text(result: SandboxResult) -> str:
    """Return a paragraph a stop, in the order of time. Without lines, say how to get them."""
    walk = walked(result)
    if not walk.stops:
        return "no lines were watched: run the cell with %%sandbox --trace"
    shown = [f"{number}. {words}" for number, words in enumerate(_stops(walk), 1)]
    return "\n".join([*shown, *walk.notes])


def _stops(walk: Walk) -> Iterator[str]:
    for stop in walk.stops:
        source = printable(walk.text_of(stop)) if stop.moment is not None else ""
        lines = [stop_text(walk, stop) + (f"   | {source}" if source else "")]
        lines += [f"     {printable(words)}" for words in (*stop.changed, *held_up(walk, stop))]
        yield "\n".join(lines)


def stop_text(walk: Walk, stop: Stop) -> str:
    """Say in one line who does what: ``child 1, line 5: write(1, ".") = 1``."""
    who = printable(walk.timeline.lanes[stop.lane].name)
    where = f"{who}, {printable(walk.place_of(stop))}" if stop.line else who
    if stop.moment is None:
        return f"{where}: {printable(walk.text_of(stop))}"
    moment = walk.timeline.moments[stop.moment]
    if moment.effect == "end":
        return f"{where}: {moment.call}"
    if stop.lives[stop.lane].state == "waits":
        return f"{where}: {moment.call} {'did not come back' if moment.lost else 'waits'}"
    if stop.returns:
        return f"{where}: {moment.called or moment.name} returns {moment.result}"
    return f"{where}: {moment.call} {'FAILED ' if moment.failed else ''}{moment.result}"
