"""A traced program, one stop after another: who was on which line, which call it made, and what that changed.

A stop is a call of the timeline, or a line that made none and still changed something: a variable, or what Python
holds back of what was printed. ``text/walk.py`` and ``html/walk.py`` show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from udock_lab.display.cells import function_at, lines_of
from udock_lab.display.timeline import Moment, Timeline, drawn
from udock_lab.model import LineBegun, NotebookCell, SandboxResult
from udock_lab.model.descriptors import AT_ONCE, OpenFiles, after_call, after_end, at_the_start
from udock_lab.model.sandboxes import SystemCall

__all__ = ["Life", "Stop", "Walk", "held_up", "walked"]

MOST_STOPS = 200


@dataclass(frozen=True, slots=True)
class Life:
    """One process at one moment. ``state`` is ``runs``, ``waits`` (in ``call``), ``ended`` or ``""``: not made yet.

    ``line`` is where it is, 0 for nowhere in the learner's code, and ``cell`` in which text; ``program`` what it became
    by exec; ``reads`` the descriptor that it waits to read from, -1 for none.
    """

    state: str = ""
    line: int = 0
    call: str = ""
    program: str = ""
    reads: int = -1
    cell: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    held: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop. ``moment`` is the number of its call in the timeline, None for a line without one.

    ``returns``: it is the return of a call that began at an earlier stop. ``lives`` stand in the order of the lanes.
    """

    lane: int
    line: int
    moment: int | None
    returns: bool
    lives: tuple[Life, ...]
    open: OpenFiles
    changed: tuple[str, ...] = ()
    cell: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """The stops, their timeline, the lines of the source, and sentences on what is left out.

    ``cells`` are those of the notebook that functions which ran are from. A line's ``cell`` counts from 1 on there; in
    cell 0 it is one of the source.
    """

    timeline: Timeline
    source: tuple[str, ...]
    stops: tuple[Stop, ...]
    notes: tuple[str, ...] = ()
    cells: tuple[NotebookCell, ...] = ()

    def text_of(self, stop: Stop) -> str:
        """Return the line of a stop; empty where it is on none."""
        lines = lines_of(self.cells[stop.cell - 1]) if stop.cell else self.source
        return lines[stop.line - 1].strip() if 0 < stop.line <= len(lines) else ""

    def place_of(self, stop: Stop) -> str:
        """Name the line of a stop, in the function of the notebook that it is in; empty where it is on none."""
        if not stop.line:
            return ""
        return f"line {stop.line}" + (f" in {function_at(self.cells[stop.cell - 1], stop.line)}" if stop.cell else "")


def walked(result: SandboxResult) -> Walk:
    """Return the walk through a result that knows its lines; one without stops for any other."""
    timeline = drawn(result)
    source = tuple(result.source.splitlines())
    if not result.begun:
        return Walk(timeline, source, ())
    events = _events(result, timeline)
    stops = _Walker(result, timeline).stops(events)
    plain = [stop for stop in stops if stop.moment is None]
    notes = [
        f"{lane.name} ran so many lines that the later ones were not watched: its calls have none from there on."
        for lane in timeline.lanes
        if any(one.last and one.pid == lane.pid for one in result.begun)
    ]
    if len(stops) > MOST_STOPS and plain:  # calls come first: they are what the picture shows
        stops = [stop for stop in stops if stop.moment is not None or _printed(stop)]
        notes.append("Lines that only change variables have no stop of their own here: there are too many.")
    if len(stops) > MOST_STOPS:
        notes.append(f"It stops at the first {MOST_STOPS} places; {len(stops) - MOST_STOPS} later ones are left out.")
    return Walk(timeline, source, tuple(stops[:MOST_STOPS]), tuple(notes), result.cells)


def _printed(stop: Stop) -> bool:
    return any(" has not written" in words for words in stop.changed)


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened: a line begins, or a call (by its number in the timeline) begins or returns."""

    time: int
    lane: int
    line: LineBegun | None = None
    moment: int = -1
    returns: bool = False


def _events(result: SandboxResult, timeline: Timeline) -> list[_Event]:
    """Return all of it in the order in which it took effect."""
    lanes = {lane.pid: number for number, lane in enumerate(timeline.lanes)}
    found = [_Event(one.time, lanes[one.pid], line=one) for one in result.begun if one.pid in lanes]
    last = max((moment.end for moment in timeline.moments), default=0)
    if any("later ones are left out" in note for note in timeline.notes):
        found = [event for event in found if event.time <= last]
    others = sorted((moment.start, moment.lane) for moment in timeline.moments)
    for number, moment in enumerate(timeline.moments):
        meanwhile = any(moment.start < start < moment.end and lane != moment.lane for start, lane in others)
        if moment.effect == "end" or (moment.name in AT_ONCE and not moment.lost):
            found.append(_Event(moment.start, moment.lane, moment=number))
        elif moment.lost or meanwhile:  # others act before it returns
            found.append(_Event(moment.start, moment.lane, moment=number))
            if not moment.lost:
                found.append(_Event(moment.end, moment.lane, moment=number, returns=True))
        else:
            found.append(_Event(moment.end, moment.lane, moment=number, returns=True))
    return sorted(found, key=lambda event: event.time)


class _Walker:
    """Goes from event to event and keeps what is true then."""

    def __init__(self, result: SandboxResult, timeline: Timeline) -> None:
        self.timeline = timeline
        self.calls = _calls_of(result, timeline)
        self.lives = [Life("runs" if number == 0 else "") for number in range(len(timeline.lanes))]
        self.open = at_the_start(timeline.lanes[0].pid)
        self.begun = set[int]()  # moments of which the beginning was a stop
        self.found: list[Stop] = []
        self.latest: dict[int, int] = {}  # by lane: the stop of the line that it is on

    def stops(self, events: Sequence[_Event]) -> list[Stop]:
        for event in events:
            if event.line is not None:
                self._line(event.lane, event.line)
            else:
                self._call(event)
        return self.found

    # --- lines

    def _line(self, lane: int, begun: LineBegun) -> None:
        """Give what the line before has changed to the stop of that line, or make one for it."""
        life = self.lives[lane]
        if life.program or life.state == "ended":
            return
        changed = _differences(life, begun)
        variables = {name: value for name, value in [*life.variables.items(), *begun.variables] if value}
        variables = {name: value for name, value in variables.items() if dict(begun.variables).get(name) != ""}
        after = replace(life, variables=variables, held={**life.held, **dict(begun.held)}, state="runs", call="")
        self.lives[lane] = after
        if changed and life.line:
            at = self.latest.get(lane)
            if at is not None:
                self._amend(at, lane, after, changed)
            else:
                self._stop(lane, life.line, None, changed=changed, cell=life.cell)
        self.lives[lane] = replace(after, line=begun.line, cell=begun.cell)
        self.latest.pop(lane, None)

    def _amend(self, at: int, lane: int, after: Life, changed: tuple[str, ...]) -> None:
        """Let a stop, and those of others since, know what its line has changed."""
        self.found[at] = replace(self.found[at], changed=self.found[at].changed + changed)
        for number in range(at, len(self.found)):
            lives = list(self.found[number].lives)
            lives[lane] = replace(lives[lane], variables=after.variables, held=after.held)
            self.found[number] = replace(self.found[number], lives=tuple(lives))

    # --- calls

    def _call(self, event: _Event) -> None:
        moment, lane = self.timeline.moments[event.moment], event.lane
        life = self.lives[lane]
        if not life.state:
            life = replace(life, state="runs")
        waits = not event.returns and moment.effect != "end" and (moment.name not in AT_ONCE or moment.lost)
        before = self.open
        call = self.calls.get(event.moment)
        reads = int(call.arguments.split(",")[0]) if waits and call is not None and call.name == "read" else -1
        state, called = ("waits", moment.called) if waits else ("runs", "")
        self.lives[lane] = replace(life, state=state, call=called, reads=reads)
        if not waits:
            self._take_effect(moment, lane, call)
        returns = event.returns and event.moment in self.begun
        self.begun.add(event.moment)
        changed = tuple(_moved_words(before, self.open, self.timeline)) + self._copied(moment, lane)
        self._stop(lane, moment.line, event.moment, returns=returns, changed=changed, cell=moment.cell)

    def _take_effect(self, moment: Moment, lane: int, call: SystemCall | None) -> None:
        if call is not None:
            self.open = after_call(self.open, call)
            self._wrote(lane, call)
        if moment.effect == "fork" and moment.other is not None:
            of = self.lives[lane]
            self.lives[moment.other] = replace(of, state="runs", call="")
        elif moment.effect == "exec":
            self.lives[lane] = Life("runs", program=moment.program)
        elif moment.effect in ("exit", "end"):
            self.lives[lane] = replace(self.lives[lane], state="ended", call="")
            self.open = after_end(self.open, self.timeline.lanes[lane].pid)

    def _copied(self, moment: Moment, lane: int) -> tuple[str, ...]:
        """Say what a child got that its parent had printed and not written: both will write it."""
        if moment.effect != "fork" or moment.other is None or self.lives[lane].program:
            return ()
        name = self.timeline.lanes[moment.other].name
        held = [(stream, text) for stream, text in self.lives[lane].held.items() if text != _NOTHING]
        return tuple([f"{name} has a copy of what {stream} has not written: {text}" for stream, text in held])

    def _wrote(self, lane: int, call: SystemCall) -> None:
        """Take what went to standard output from what was held: the next line says what is really left."""
        life = self.lives[lane]
        file = self.open.file_of(call.pid, 1)
        writes = call.name == "write" and not call.errno and call.arguments.startswith("1,") and file is not None
        if writes and not call.line and not life.program:
            self.lives[lane] = replace(life, held={**life.held, "stdout": _NOTHING})

    def _stop(
        self,
        lane: int,
        line: int,
        moment: int | None,
        *,
        returns: bool = False,
        changed: tuple[str, ...] = (),
        cell: int = 0,
    ) -> None:
        if moment is not None and line and (cell, line) == (self.lives[lane].cell, self.lives[lane].line):
            self.latest[lane] = len(self.found)
        self.found.append(Stop(lane, line, moment, returns, tuple(self.lives), self.open, changed, cell))


_NOTHING = "''"


def _calls_of(result: SandboxResult, timeline: Timeline) -> dict[int, SystemCall]:
    """Return the call of each moment, by its number: what has the same process, beginning and end."""
    known = {(call.pid, call.start, call.name): call for call in result.calls}
    found = {}
    for number, moment in enumerate(timeline.moments):
        call = known.get((timeline.lanes[moment.lane].pid, moment.start, moment.name))
        if call is not None:
            found[number] = call
    return found


def _differences(life: Life, begun: LineBegun) -> tuple[str, ...]:
    words = []
    for name, value in begun.variables:
        if value and life.variables.get(name) != value:
            words.append(f"{name} = {value}")
        elif not value and name in life.variables and " in " not in name:
            words.append(f"{name} is gone")
    for name, text in begun.held:
        before = life.held.get(name, _NOTHING)
        if text != before:
            words.append(f"{name} has not written {text} yet" if text != _NOTHING else f"{name} has written all")
    return tuple(words)


def _moved_words(before: OpenFiles, after: OpenFiles, timeline: Timeline) -> list[str]:
    """Say which descriptors came and went, and which offsets moved."""
    if before is after:
        return []
    words = []
    names = {lane.pid: lane.name for lane in timeline.lanes}
    for pid, table in after.tables.items():
        if pid not in before.tables:
            words.append(f"{names.get(pid, 'a process')} has the same descriptors: {_numbers(table)}")
            continue
        old = {one.fd: one.file for one in before.tables[pid]}
        new = {one.fd: one.file for one in table}
        words += [f"descriptor {fd}: {after.files[file].described}" for fd, file in new.items() if old.get(fd) != file]
        words += [f"descriptor {fd} is closed" for fd in old if fd not in new]
    for old_file, new_file in zip(before.files, after.files, strict=False):
        if old_file.offset != new_file.offset and new_file.offset is not None:
            shared = len(list(after.holders(new_file))) > 1
            words.append(f"the offset of {new_file.name} is {new_file.offset}{', for all who share it' * shared}")
    return words


def _numbers(table: Sequence[object]) -> str:
    return ", ".join(str(one.fd) for one in table)  # type: ignore[attr-defined]


def held_up(walk: Walk, stop: Stop) -> list[str]:
    """Say of each process that waits in a read of a pipe who still holds the write end: its end of file waits for them.

    Only where the pipe is all that it waits for: at a stop after which it does not come back, or waits on.
    """
    said = []
    for lane, life in enumerate(stop.lives):
        file = stop.open.file_of(walk.timeline.lanes[lane].pid, life.reads) if life.state == "waits" else None
        other = stop.open.other_end(file) if file is not None and file.kind == "pipe" else None
        if other is None:
            continue
        names = {one.pid: one.name for one in walk.timeline.lanes}
        holders = [
            "itself" if pid == walk.timeline.lanes[lane].pid else names.get(pid, "another process")
            for pid, _ in stop.open.holders(other)
        ]
        who = walk.timeline.lanes[lane].name
        if holders:
            told = " and ".join(dict.fromkeys(holders))
            said.append(f"{who} reads from {other.name}: its write end is held open by {told}, so no end of file comes")
    return said
