"""Who did what, and when: one lane per process, time runs down.

The same moments make both forms. The picture is HTML on a CSS grid, without script: lives are lines, fork and
wait are arrows between them, each call is a block. Its elements stand in the order of time, each with its
process's name, so that without any style it still reads as a list. The text is deterministic: a child's calls
stand between its fork and the wait for it, whatever the clock said, and pids and times are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

from udock_lab.display import text as plain
from udock_lab.display.calls import note_of
from udock_lab.display.html import card, say
from udock_lab.model import RunResult, SandboxProcess, SandboxResult, StepReport, SystemCall

__all__ = ["Lane", "Moment", "Timeline", "drawn", "lanes_html", "lanes_text", "timeline_html", "timeline_text"]

MOST_CALLS = 200
MOST_LANES = 60
CROWD = 30  # processes from which on their names above the lines get small
WIDE_LANES = 3  # up to so many, a block stands in its process's lane; beyond, beside all lanes
GAP = 1_000_000  # nanoseconds in which nothing happens that are named: a millisecond
MOST_SHOWN = 240  # characters of a call that hover and focus show
LONGEST_CALL = 90  # characters of a call; the middle of a longer one is left to what hover and focus show
BLOCKING = 5_000_000  # nanoseconds after which any call counts as one that waited

_WAITS = frozenset(("wait4", "waitid", "waitpid", "flock", "vfork"))
_NO_RETURN = frozenset(("exit", "exit_group"))
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}( /\* \d+ vars? \*/)?")
_PROGRAM = re.compile(r'[^"]*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Lane:
    """One process. ``parent`` is its parent's lane, None where that is not drawn; ``pid`` 0 where unknown."""

    name: str
    pid: int = 0
    parent: int | None = None


@dataclass(slots=True, kw_only=True)  # not frozen: a frozen one takes three times as long to make
class Moment:
    """One block: a call, or (``effect`` is ``end``) how a process ended.

    ``call`` and ``result`` are short and the same for the same run; ``full`` is all of it, pids and addresses too;
    ``call_seen`` and ``result_seen`` are what the picture shows in their place. ``effect`` says what it does to lanes:
    fork, wait, signal, gate (an arrow between ``lane`` and ``other``), exec (``program``), exit, end, or nothing.
    """

    lane: int
    name: str
    call: str
    full: str
    result: str
    start: int
    end: int
    failed: bool = False
    lost: bool = False  # it had begun and did not come back
    effect: str = ""
    other: int | None = None
    program: str = ""
    call_seen: str = ""
    result_seen: str = ""

    @property
    def remark(self) -> str:
        """What the arrow or the line says, in words; empty where there is nothing to draw."""
        return {
            "exec": f"now {self.program}, same pid",
            "exit": "the process ends",
            "lost": "did not come back",
        }.get(self.effect or ("lost" if self.lost else ""), "")


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lanes, moments in the order of time, and sentences on what is left out."""

    lanes: tuple[Lane, ...]
    moments: tuple[Moment, ...]
    notes: tuple[str, ...] = ()


# --- from results to moments ------------------------------------------------------------------------------


def drawn(value: RunResult | SandboxResult | Sequence[StepReport]) -> Timeline:
    """The timeline of a container run, of a traced sandbox run, or of steps alone."""
    if isinstance(value, SandboxResult):
        return _of_sandbox(value)
    if isinstance(value, RunResult):
        return _of_steps(value.steps, value)
    return _of_steps(value, None)


def _of_steps(steps: Sequence[StepReport], run: RunResult | None) -> Timeline:
    ordered = plain.shown_steps(steps)
    names = sorted({step.who for step in ordered}, key=lambda who: (who != "parent", who != "child", who))
    lanes = tuple(
        Lane(name, run.pid if run and name == "child" else 0, 0 if n else None) for n, name in enumerate(names)
    )
    where = {name: n for n, name in enumerate(names)}
    child = where.get("child")
    moments = []
    for step in ordered[:MOST_CALLS]:
        if step.name == "waitpid" and child is not None and run is not None and run.exit_status is not None:
            moments.append(_end(child, plain.ending(run.exit_status), step.start))
        moments.append(_step(step, where[step.who], child, run))
    return Timeline(lanes, tuple(moments), _left_out(len(ordered)))


def _step(step: StepReport, lane: int, child: int | None, run: RunResult | None) -> Moment:
    call, result = plain.without_pid(step, run)
    seen = plain.clean(plain.elided(step.call, run))  # a published page names no folder of its author
    effects = {"fork": "fork", "waitpid": "wait", "gate": "gate", "execve": "" if step.errno else "exec"}
    effect = effects.get(step.name, "")
    other = child if effect in ("fork", "wait") else 0 if effect == "gate" else None
    if other == lane:
        effect, other = "", None
    return Moment(
        lane=lane,
        name=step.call.partition("(")[0],
        call=call,
        full=f"{seen}  {plain.clean(step.result)}",
        result=result,
        call_seen=seen,
        result_seen=plain.clean(step.result),
        start=step.start,
        end=max(step.start, step.end),
        failed=bool(step.errno),
        effect=effect,
        other=other,
        program=_program(call) if effect == "exec" else "",
    )


def _of_sandbox(result: SandboxResult) -> Timeline:
    processes = result.processes[:MOST_LANES]
    where = {process.pid: n for n, process in enumerate(processes)}
    lanes = tuple(Lane(p.role, p.pid, where.get(p.parent) if n else None) for n, p in enumerate(processes))
    roles = {process.pid: process.role for process in result.processes}
    calls = sorted((call for call in result.calls if call.pid in where), key=lambda call: call.start)
    moments = [_call(call, where, roles) for call in calls[:MOST_CALLS]]
    moments = _with_ends(moments, processes, complete=len(calls) <= MOST_CALLS)
    notes = _left_out(len(calls))
    hidden = len(result.processes) - len(processes)
    if hidden:
        notes += (f"The picture shows the first {MOST_LANES} processes; {hidden} more are left out, with their calls.",)
    return Timeline(lanes, tuple(moments), notes)


def _call(call: SystemCall, where: dict[int, int], roles: dict[int, str]) -> Moment:
    effect, other = _effect(call, where)
    lost = call.result == "?" and call.name not in _NO_RETURN
    interrupted = call.errno.startswith("ERESTART")  # the kernel's own word: no program ever gets to see it
    full = plain.clean(str(call))
    return Moment(
        lane=where[call.pid],
        name=call.name,
        call=short_call(call, roles),
        full=full,
        result=_result(call, roles),
        start=call.start,
        end=max(call.start, call.end),
        failed=bool(call.errno) and not interrupted,
        lost=lost,
        effect=effect,
        other=other,
        program=_program(full) if effect == "exec" else "",
    )


def _effect(call: SystemCall, where: dict[int, int]) -> tuple[str, int | None]:
    """What a call does to the lanes, and the other lane it does it to."""
    value = call.value
    if call.name in _NO_RETURN:
        return "exit", None
    if call.errno or value is None:
        return "", None
    if call.name in ("execve", "execveat"):
        return "exec", None
    if call.name in ("clone", "clone3", "fork", "vfork") and value in where:
        return "fork", where[value]
    if call.name in ("wait4", "waitid"):
        found = re.search(r"si_pid=(\d+)", call.arguments) if call.name == "waitid" else None
        other = where.get(int(found[1]) if found else value)
        return ("wait", other) if other is not None else ("", None)
    if call.name == "kill":
        target = where.get(int(found[1])) if (found := re.match(r"(\d+),", call.arguments)) else None
        return ("signal", target) if target is not None and target != where[call.pid] else ("", None)
    return "", None


def short_call(call: SystemCall, roles: dict[int, str]) -> str:
    """A call without addresses, with roles for pids: ``clone()``, ``wait4(child 1, ...)``."""
    arguments = call.arguments
    if call.name.startswith("clone") and re.search(r"child_stack=|flags=|parent_tid", arguments):
        arguments = ""
    arguments = _ADDRESS.sub(lambda found: "environment" if found[1] else "...", arguments)
    arguments = re.sub(r"^(\d+)(?=,|$)", lambda found: roles.get(int(found[1]), found[1]), arguments)
    arguments = re.sub(r"si_pid=(\d+)", lambda found: f"si_pid={roles.get(int(found[1]), found[1])}", arguments)
    if call.name in ("wait4", "waitid"):
        arguments = re.sub(r",(?=\S)", ", ", arguments)
    return plain.clean(f"{call.name}({arguments})")


def _result(call: SystemCall, roles: dict[int, str]) -> str:
    if call.result == "?":
        return "does not return" if call.name in _NO_RETURN else "did not come back"
    if call.errno.startswith("ERESTART"):
        return "interrupted by a signal"
    value = call.value
    makes_pid = call.name in ("wait4", "clone", "clone3", "fork", "vfork", "setsid") and value
    return plain.clean(f"= {roles.get(value, call.result) if makes_pid and value else call.result}")


def _program(call: str) -> str:
    found = _PROGRAM.match(call)
    return found[1] if found else "another program"


def _end(lane: int, words: str, time: int) -> Moment:
    return Moment(lane=lane, name="", call=words, full="", result="", start=time, end=time, effect="end")


def _with_ends(moments: list[Moment], processes: Sequence[SandboxProcess], *, complete: bool) -> list[Moment]:
    """A block for each end that no exit call shows: a signal, or a thing that nobody saw."""
    last = max((moment.end for moment in moments), default=0)
    ended = {moment.lane for moment in moments if moment.effect == "exit"}
    waits = {moment.other: moment for moment in moments if moment.effect == "wait"}
    for lane, process in enumerate(processes):
        if lane in ended or not moments or (process.status is None and not process.leftover) or not complete:
            continue
        words = "killed when the sandbox ended" if process.leftover or process.status is None else ""
        words = words or plain.ending(process.status)  # type: ignore[arg-type]
        wait = waits.get(lane)
        moments.append(
            _end(lane, words, last if wait is None else wait.end if wait.end - wait.start >= GAP else wait.start)
        )
    return sorted(moments, key=lambda moment: (moment.start, moment.effect == "wait"))


def _left_out(count: int) -> tuple[str, ...]:
    if count <= MOST_CALLS:
        return ()
    return (f"The picture shows the first {MOST_CALLS} calls; {count - MOST_CALLS} later ones are left out.",)


# --- as text ----------------------------------------------------------------------------------------------


def lanes_text(timeline: Timeline) -> str:
    """A line a moment: who, the call, its result, and what it means for the processes."""
    if not timeline.moments:
        return "no calls were seen"
    rows = []
    for m in _causal(timeline.moments):
        mark = "" if m.effect == "end" else "FAILED" if m.failed else "LOST" if m.lost else "ok"
        rows.append([plain.clean(timeline.lanes[m.lane].name), mark, m.call, m.result, _arrow_text(timeline, m)])
    return "\n".join([plain.table(("WHO", "", "CALL", "RESULT", ""), rows), *timeline.notes])


def _arrow_text(timeline: Timeline, m: Moment) -> str:
    if m.other is None:
        return m.remark
    other = plain.clean(timeline.lanes[m.other].name)
    return f"<- {other}" if m.effect in ("wait", "gate") else f"-> {other}"


def _causal(moments: Sequence[Moment]) -> Iterator[Moment]:
    """An order in which it could have happened: a child's moments come before the wait that collects it."""
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
    """What each call is, in one sentence: the text's counterpart of hover and focus."""
    names = dict.fromkeys(moment.name for moment in _causal(timeline.moments))
    return "\n".join(f"{plain.clean(name)}: {note}" for name in names if (note := note_of(name)) is not None)


def timeline_text(value: RunResult | SandboxResult | Sequence[StepReport]) -> str:
    """The calls, then a sentence on each kind of call."""
    timeline = drawn(value)
    key = key_text(timeline)
    return lanes_text(timeline) + (f"\n\n{key}" if key else "")


# --- as a picture -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Row:
    """One row of the grid. ``part``: the whole of a call, its ``begin``, its ``return``, or a ``gap``."""

    moment: Moment
    part: str
    time: int
    pause: int = 0  # nanoseconds of a gap


@dataclass(slots=True)
class _Life:
    """The line of one process while it grows: where its present piece began, and what it looks like."""

    begun: int = 0  # grid row; 0 means not yet
    middle: bool = False  # it begins in the middle of that row
    look: str = ""
    program: bool = False
    over: bool = False
    pieces: list[tuple[str, int, bool, int]] = field(
        default_factory=list
    )  # look, first row, from its middle?, last row


def lanes_html(timeline: Timeline) -> str:
    """The picture, without the frame."""
    if not timeline.moments:
        return "<p>no calls were seen</p>"
    rows = list(_rows(timeline.moments))
    wide = len(timeline.lanes) <= WIDE_LANES
    lives = _lives(timeline, rows)
    cells = [_head(timeline, wide)]
    cells += [_piece(lane, wide, piece) for lane, life in enumerate(lives) for piece in life.pieces]
    first = rows[0].time
    for number, row in enumerate(rows, 2):
        cells.append(_row_html(timeline, row, number, len(rows) + 1, first, wide))
    notes = "".join(f'<p class="note">{say(note)}</p>' for note in timeline.notes)
    looks = "lanes" + ("" if wide else " many") + (" crowd" if len(timeline.lanes) > CROWD else "")
    looks += " few" if len(rows) <= 4 else ""  # room below for what hover shows
    return (
        f'<div class="{looks}" role="group" aria-label="calls in the order of time" '
        f'style="grid-template-columns:max-content {_columns(len(timeline.lanes), wide)}">{"".join(cells)}</div>'
        f"{_legend(lives, timeline)}{notes}"
    )


def _columns(count: int, wide: bool) -> str:
    """Few processes: a rail and a lane each. Many: rails close together, and one column for all blocks."""
    if wide:
        lanes = ["2.6em minmax(12em,1fr)", *["2.6em minmax(13em,1.25fr)"] * (count - 1)]  # children make the long calls
        return " ".join(lanes)
    rail = "1.6em" if count <= 12 else "minmax(.85em,1.1em)" if count <= CROWD else "minmax(.42em,.85em)"
    return " ".join([rail] * count) + " minmax(22em,1fr)"


def _rows(moments: Sequence[Moment]) -> Iterator[_Row]:
    """Rows in the order of time. A call that waits while others act has two: where it begins and where it returns."""
    parts: list[tuple[int, int, _Row]] = []
    starts = sorted((m.start, m.lane) for m in moments)
    for number, m in enumerate(moments):
        blocks = m.effect != "exit" and (m.name in _WAITS or m.end - m.start >= BLOCKING)
        if blocks and any(
            m.start < start < m.end or (start == m.end and lane == m.other) for start, lane in starts if lane != m.lane
        ):
            parts.append((m.start, number, _Row(m, "begin", m.start)))
            parts.append((m.end, number, _Row(m, "return", m.end)))
        else:
            parts.append((m.start, number, _Row(m, "whole", m.start)))
    parts.sort(key=lambda part: (part[0], part[2].part == "return", part[1]))
    done = parts[0][0]
    idle = max(GAP, (parts[-1][0] - done) // 12)
    for time, _, row in parts:
        if time - done >= idle:
            yield _Row(row.moment, "gap", done, time - done)
        yield row
        done = max(done, time, row.moment.end if row.part == "whole" else time)


def _lives(timeline: Timeline, rows: Sequence[_Row]) -> list[_Life]:
    """The pieces of each process's line: Python, another program, waiting in a call, ended and not waited for."""
    lives = [_Life() for _ in timeline.lanes]
    born = {row.moment.other for row in rows if row.moment.effect == "fork"}
    for lane, life in enumerate(lives):
        if lane not in born and (lane == 0 or any(row.moment.lane == lane for row in rows)):
            life.begun = 2
    for number, row in enumerate(rows, 2):
        if row.part != "gap":
            _live(lives, timeline, row, number)
    for life in lives:
        if life.begun and not life.over:
            _turn(life, "", len(rows) + 1, middle=False)
    return lives


def _live(lives: list[_Life], timeline: Timeline, row: _Row, number: int) -> None:
    m, life = row.moment, lives[row.moment.lane]
    if not life.begun and not life.over:
        life.begun, life.middle = number, True
    if row.part == "begin" or m.lost:
        _turn(life, "waits", number)
    elif row.part == "return":
        _turn(life, "program" if life.program else "", number)
    if m.effect == "fork" and row.part != "return" and m.other is not None and not lives[m.other].begun:
        lives[m.other].begun, lives[m.other].middle = number, True
    elif m.effect == "exec":
        life.program = True
        _turn(life, "program", number)
    elif m.effect in ("exit", "end"):
        _die(lives, timeline, m.lane, number)
    elif m.effect == "wait" and row.part != "begin" and m.other is not None and not lives[m.other].over:
        _gone(lives[m.other], number)


def _gone(life: _Life, number: int) -> None:
    """Nothing of it is left from the middle of this row on."""
    _turn(life, "", number)
    life.pieces.append(("gone", number, True, number))
    life.over = True


def _turn(life: _Life, look: str, number: int, *, middle: bool = True) -> None:
    """The present piece ends with this row, and the next one is drawn over it from the middle of the row on."""
    if life.begun and not life.over and (life.begun, life.middle) != (number, middle):
        life.pieces.append((life.look, life.begun, life.middle, number))
    life.begun, life.middle, life.look = number, middle, look


def _die(lives: list[_Life], timeline: Timeline, lane: int, number: int) -> None:
    """A zombie until its parent waits or ends; its own ended children are somebody else's now."""
    parent = timeline.lanes[lane].parent
    if parent is None or lives[parent].over or lives[parent].look == "zombie":
        _gone(lives[lane], number)
    else:
        _turn(lives[lane], "zombie", number)
    for other, facts in enumerate(timeline.lanes):
        if facts.parent == lane and lives[other].look == "zombie" and not lives[other].over:
            _gone(lives[other], number)


def _rail(lane: int, wide: bool) -> int:
    """The grid column of a process's line."""
    return 2 + 2 * lane if wide else 2 + lane


def _piece(lane: int, wide: bool, piece: tuple[str, int, bool, int]) -> str:
    look, start, from_middle, end = piece
    looks = f"life {look}".strip() + (" late" if from_middle else "")
    return f'<i class="{looks}" style="grid-area:{start}/{_rail(lane, wide)}/{end + 1}"></i>'


def _head(timeline: Timeline, wide: bool) -> str:
    cells = ['<b class="head" aria-hidden="true" style="grid-area:1/1">µs</b>']
    for number, lane in enumerate(timeline.lanes):
        pid = f" <small>pid {lane.pid}</small>" if lane.pid else ""
        column = _rail(number, wide)
        span = f"1/{column}/2/{column + 2}" if wide else f"1/{column}"
        cells.append(f'<b class="head" style="grid-area:{span}"><span>{say(lane.name)}{pid}</span></b>')
    return " ".join(cells)


def _row_html(timeline: Timeline, row: _Row, number: int, last: int, first: int, wide: bool) -> str:
    m = row.moment
    if row.part == "gap":
        pause, column = plain.duration(row.pause), 3 if wide else 2 + len(timeline.lanes)
        return f'<span class="gap" style="grid-area:{number}/{column}">⋮ {pause} without a call</span>'
    time = f'<small class="at" style="grid-area:{number}/1">{(row.time - first) / 1000:,.0f}</small>'
    arrow = (
        "" if m.other is None or row.part == ("return" if m.effect == "fork" else "begin") else _arrow(m, number, wide)
    )
    column = _rail(m.lane, wide) + 1 if wide else 2 + len(timeline.lanes)
    dot = "" if wide else f'<i class="dot" style="grid-area:{number}/{_rail(m.lane, wide)}"></i>'
    up = " up" if number > 4 and number > last - 4 else ""
    side = " end" if wide and m.lane and m.lane == len(timeline.lanes) - 1 else ""
    return f"{time}{arrow}{dot}{_block(timeline, row, f'grid-area:{number}/{column}', up + side)}"


def _arrow(m: Moment, number: int, wide: bool) -> str:
    """From the one who acts to the other; a wait and the gate's word come from the other."""
    assert m.other is not None
    source, target = (m.other, m.lane) if m.effect in ("wait", "gate") else (m.lane, m.other)
    left, right = sorted((source, target))
    beside = wide and m.lane == left  # it begins behind the block, not at the line
    start, end = _rail(left, wide) + (2 if beside else 0), _rail(right, wide) + wide
    looks = f"arrow {'right' if target == right else 'left'}{'' if beside else ' mid'} {m.effect}"
    return f'<i class="{looks}" style="grid-area:{number}/{start}/{number + 1}/{end}"></i>'


def _block(timeline: Timeline, row: _Row, where: str, sides: str) -> str:
    """What a row shows: focusable, its process named first, the rest of what is known at its end."""
    m = row.moment
    result = f"{_mark(m)}{escape(m.result_seen or m.result)}"
    if m.effect == "end":
        look, said = " ended", f"<span>■ {escape(m.call)}</span>"
    elif row.part == "begin":
        look, said = "", f"<code>{_code(m.call_seen or m.call)}</code> <span>waits …</span>{_more(m)}"
    else:
        look = " failed" if m.failed else " lost" if m.lost else ""
        call, verb = (
            (f"<b>{escape(m.name)}</b>", "returns ") if row.part == "return" else (_code(m.call_seen or m.call), "")
        )
        said = f"<code>{call}</code> <span>{verb}{result}</span>{_remark(timeline, m)}{_took(m)}{_more(m)}"
    who = f'<b class="who">{say(timeline.lanes[m.lane].name)} </b>'
    return f'<div role="note" tabindex="0" style="{where}" class="call{look}{sides}">{who}{said}</div>'


def _mark(m: Moment) -> str:
    return "✖ FAILED " if m.failed else ""


def _remark(timeline: Timeline, m: Moment) -> str:
    if m.other is not None:
        sign = "←" if m.effect in ("wait", "gate") else "→"
        return f" <em>{sign} {say(timeline.lanes[m.other].name)}</em>"
    return f" <em>{say(m.remark)}</em>" if m.remark and not m.lost else ""


def _took(m: Moment) -> str:
    return f" <small>{plain.duration(m.end - m.start)}</small>" if m.end > m.start and m.effect != "exit" else ""


def _code(call: str) -> str:
    """The call as HTML, its name bold, its middle left out where it is long."""
    call = _shortened(call, LONGEST_CALL)
    name, paren, arguments = call.partition("(")
    return f"<b>{escape(name)}</b>({escape(arguments)}" if paren else escape(call)


def _shortened(text: str, longest: int) -> str:
    """Without its middle, where it is longer."""
    if len(text) <= longest:
        return text
    keep = longest - 3
    return f"{text[: keep // 2]} … {text[-(keep - keep // 2) :]}"


def _more(m: Moment) -> str:
    """What hover and focus show: the man page's sentence, and the arguments as they were."""
    return f' <span class="more">{_note(m.name)} <code>{escape(_shortened(m.full, MOST_SHOWN))}</code></span>'


@lru_cache(maxsize=128)
def _note(name: str) -> str:
    note = note_of(name)
    if note is None:
        return ""
    page = f" <b>{escape(note.page)}</b>" if note.page else ""
    library = f"Your program calls <b>{escape(note.library)}</b>. " if note.library else ""
    return f"<span>{library}{escape(note.sentence)}{page}</span>"


_LOOKS = (
    ("", "runs"),
    ("program", "runs another program (after exec)"),
    ("waits", "waits in a call"),
    ("zombie", "has ended, nobody has waited for it yet: a zombie"),
)


def _legend(lives: Sequence[_Life], timeline: Timeline) -> str:
    seen = {piece[0] for life in lives for piece in life.pieces}
    parts = [f'<span><i class="life {look}"></i>{words}</span>' for look, words in _LOOKS if look in seen]
    if any(m.failed for m in timeline.moments):
        parts.append("<span>✖ the call failed</span>")
    return f'<p class="legend">{" ".join(parts)}</p>'


def timeline_html(value: RunResult | SandboxResult | Sequence[StepReport]) -> str:
    """The picture in its frame: lanes, arrows, blocks; hover or focus a block for more."""
    return card(lanes_html(drawn(value)), "timeline")
