"""The picture of a timeline: one lane per process, time runs down.

It is HTML on a CSS grid, without script: lives are lines, fork and wait are arrows between them, each call is a block.
Its elements stand in the order of time, each with its process's name, so that without any style it still reads as a
list. ``timeline.py`` makes the moments, and their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

from udock_lab.display import text as plain
from udock_lab.display.calls import note_of
from udock_lab.display.html import card, say
from udock_lab.display.timeline import GAP, Moment, Timeline, drawn
from udock_lab.model import RunResult, SandboxResult, StepReport

__all__ = ["lanes_html", "timeline_html"]

CROWD = 30  # processes from which on their names above the lines get small
WIDE_LANES = 3  # up to so many, a block stands in its process's lane; beyond, beside all lanes
MOST_SHOWN = 240  # characters of a call that hover and focus show
LONGEST_CALL = 90  # characters of a call; the middle of a longer one is left to what hover and focus show
BLOCKING = 5_000_000  # nanoseconds after which any call counts as one that waited

_WAITS = frozenset(("wait4", "waitid", "waitpid", "flock", "vfork"))


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
