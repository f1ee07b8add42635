"""Who did what, and when, as text.

It is deterministic: a child's calls stand between its fork and the wait for it, whatever the clock said, and pids and
times are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udock_lab.display.calls import note_of
from udock_lab.display.tables import table
from udock_lab.display.timeline import Moment, Timeline, drawn
from udock_lab.model import (
    RunResult,
    SandboxResult,
    StepReport,
)
from udock_lab.text.terminal import printable

__all__ = ["lanes_text", "timeline_text"]


def timeline_text(value: RunResult | SandboxResult | Sequence[StepReport]) -> str:
    """Return the calls, then a sentence on each kind of call."""
    timeline = drawn(value)
    key = key_text(timeline)
    return lanes_text(timeline) + (f"\n\n{key}" if key else "")


def lanes_text(timeline: Timeline) -> str:
    """Return a line a moment: who, the call, its result, and what it means for the processes."""
    if not timeline.moments:
        return "no calls were seen"
    rows, with_lines = [], any(m.line for m in timeline.moments)
    for m in _causal(timeline.moments):
        mark = "" if m.effect == "end" else "FAILED" if m.failed else "LOST" if m.lost else "ok"
        line = [f"{m.line or ''}{f' in {printable(m.within)}' if m.within else ''}"] if with_lines else []
        rows.append([printable(timeline.lanes[m.lane].name), *line, mark, m.call, m.result, _arrow_text(timeline, m)])
    return "\n".join([table(("WHO", *["LINE"] * with_lines, "", "CALL", "RESULT", ""), rows), *timeline.notes])


def _arrow_text(timeline: Timeline, m: Moment) -> str:
    if m.other is None:
        return m.remark
    other = printable(timeline.lanes[m.other].name)
    return f"<- {other}" if m.effect in ("wait", "gate") else f"-> {other}"


def _causal(moments: Sequence[Moment]) -> Iterator[Moment]:
    """Order the moments as they could have happened: a child's come before the wait that collects it."""
    queues: dict[int, list[Moment]] = {}
    for moment in moments:
        queues.setdefault(moment.lane, []).append(moment)
    for lane in sorted(queues):
        yield from _emit(lane, queues)


def _emit(lane: int, queues: dict[int, list[Moment]]) -> Iterator[Moment]:
    for moment in queues.pop(lane, []):
        if moment.effect == "wait" and moment.other is not None:
            yield from _emit(moment.other, queues)
        yield moment


def key_text(timeline: Timeline) -> str:
    """Say in one sentence what each call is: the text's counterpart of hover and focus."""
    names = dict.fromkeys((moment.name, moment.called or moment.name) for moment in _causal(timeline.moments))
    return "\n".join(
        f"{printable(called)}: {note}{kernels_name(name, called)}"
        for name, called in names
        if (note := note_of(name)) is not None
    )


def kernels_name(name: str, called: str) -> str:
    """Say what the kernel calls a call, where a program has another name for it."""
    return f" The kernel's name is {name}." if called not in ("", name) else ""
