"""The picture of a timeline: one lane per process, time runs down.

It is HTML on a CSS grid, without script: lives are lines, fork and wait are arrows between them, each call is a block.
Its elements stand in the order of time, each with its process's name, so that without any style it still reads as a
list. ``timeline.py`` makes the moments, and their text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from udock_lab.display.calls import note_of
from udock_lab.display.markup import Markup, card, html, joined
from udock_lab.display.text.timeline import kernels_name
from udock_lab.display.timeline import GAP, Moment, Timeline, drawn
from udock_lab.model import RunResult, SandboxResult, StepReport
from udock_lab.text.amounts import duration

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


def lanes_html(timeline: Timeline) -> Markup:
    """Draw the picture, without the frame."""
    if not timeline.moments:
        return html("<p>no calls were seen</p>")
    rows = list(_rows(timeline.moments))
    wide = len(timeline.lanes) <= WIDE_LANES
    lives = _lives(timeline, rows)
    cells = [_head(timeline, wide)]
    cells += [_piece(lane, wide, piece) for lane, life in enumerate(lives) for piece in life.pieces]
    first = rows[0].time
    for number, row in enumerate(rows, 2):
        cells.append(_row_html(timeline, row, number, len(rows) + 1, first, wide))
    notes = joined(html('<p class="note">{}</p>', note) for note in timeline.notes)
    seen = {piece[0] for life in lives for piece in life.pieces}
    looks = "lanes" + ("" if wide else " many") + (" crowd" if len(timeline.lanes) > CROWD else "")
    looks += " few" if len(rows) <= 4 else ""  # room below for what hover shows
    return html(
        '<div class="{}" role="group" aria-label="calls in the order of time" '
        'style="grid-template-columns:max-content {}">{}</div>{}{}',
        *(looks, _columns(len(timeline.lanes), wide), joined(cells)),
        *(_legend(frozenset(seen), any(m.failed for m in timeline.moments)), notes),
    )


def _columns(count: int, wide: bool) -> str:
    """Return the widths of the columns, as CSS.

    Few processes: a rail and a lane each. Many: rails close together, and one column for all blocks.
    """
    if wide:
        lanes = ["2.6em minmax(12em,1fr)", *["2.6em minmax(13em,1.25fr)"] * (count - 1)]  # children make the long calls
        return " ".join(lanes)
    rail = "1.6em" if count <= 12 else "minmax(.85em,1.1em)" if count <= CROWD else "minmax(.42em,.85em)"
    return " ".join([rail] * count) + " minmax(22em,1fr)"


def _rows(moments: Sequence[Moment]) -> Iterator[_Row]:
    """Return the rows in the order of time.

    A call that waits while others act has two: where it begins and where it returns.
    """
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
    """Cut each process's line into pieces: Python, another program, waiting in a call, ended and not waited for."""
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
    """End a life in the middle of this row: nothing of it is left."""
    _turn(life, "", number)
    life.pieces.append(("gone", number, True, number))
    life.over = True


def _turn(life: _Life, look: str, number: int, *, middle: bool = True) -> None:
    """End the present piece with this row; the next one is drawn over it from the middle of the row on."""
    if life.begun and not life.over and (life.begun, life.middle) != (number, middle):
        life.pieces.append((life.look, life.begun, life.middle, number))
    life.begun, life.middle, life.look = number, middle, look


def _die(lives: list[_Life], timeline: Timeline, lane: int, number: int) -> None:
    """Make it a zombie until its parent waits or ends; its own ended children are somebody else's now."""
    parent = timeline.lanes[lane].parent
    if parent is None or lives[parent].over or lives[parent].look == "zombie":
        _gone(lives[lane], number)
    else:
        _turn(lives[lane], "zombie", number)
    for other, facts in enumerate(timeline.lanes):
        if facts.parent == lane and lives[other].look == "zombie" and not lives[other].over:
            _gone(lives[other], number)


def _rail(lane: int, wide: bool) -> int:
    """Return the grid column of a process's line."""
    return 2 + 2 * lane if wide else 2 + lane


@lru_cache(maxsize=128)
def _piece(lane: int, wide: bool, piece: tuple[str, int, bool, int]) -> Markup:
    look, start, from_middle, end = piece
    looks = f"life {look}".strip() + (" late" if from_middle else "")
    return html('<i class="{}" style="grid-area:{}/{}/{}"></i>', looks, start, _rail(lane, wide), end + 1)


def _head(timeline: Timeline, wide: bool) -> Markup:
    shown = html('<b class="head" aria-hidden="true" style="grid-area:1/1">µs</b>')
    for number, lane in enumerate(timeline.lanes):
        pid = html(" <small>pid {}</small>", lane.pid) if lane.pid else ""
        column = _rail(number, wide)
        span = f"1/{column}/2/{column + 2}" if wide else f"1/{column}"
        shown += html(' <b class="head" style="grid-area:{}"><span>{}{}</span></b>', span, lane.name, pid)
    return shown


def _row_html(timeline: Timeline, row: _Row, number: int, last: int, first: int, wide: bool) -> Markup:
    m = row.moment
    if row.part == "gap":
        pause, column = duration(row.pause), 3 if wide else 2 + len(timeline.lanes)
        return html('<span class="gap" style="grid-area:{}/{}">⋮ {} pass</span>', number, column, pause)
    arrow = (
        "" if m.other is None or row.part == ("return" if m.effect == "fork" else "begin") else _arrow(m, number, wide)
    )
    column = _rail(m.lane, wide) + 1 if wide else 2 + len(timeline.lanes)
    dot = "" if wide else html('<i class="dot" style="grid-area:{}/{}"></i>', number, _rail(m.lane, wide))
    up = " up" if number > 4 and number > last - 4 else ""
    side = " end" if wide and m.lane and m.lane == len(timeline.lanes) - 1 else ""
    look, said = _shown(timeline, row)
    return html(  # a block can be focused, and names its process first
        '<small class="at" style="grid-area:{}/1">{}</small>{}{}'
        '<div role="note" tabindex="0" style="grid-area:{}/{}" class="call{}"{}><b class="who">{} </b>{}</div>',
        *(number, f"{(row.time - first) / 1000:,.0f}", arrow, dot),
        *(number, column, look + up + side, _moment(timeline, m), timeline.lanes[m.lane].name, said),
    )


def _moment(timeline: Timeline, m: Moment) -> Markup | str:
    """Give a block of a program whose lines are known its number: the walk through it lights it up."""
    return html(' data-moment="{}"', timeline.numbers[id(m)]) if timeline.walks else ""


def _arrow(m: Moment, number: int, wide: bool) -> Markup:
    """Draw from the one who acts to the other; a wait and the gate's word come from the other."""
    assert m.other is not None
    source, target = (m.other, m.lane) if m.effect in ("wait", "gate") else (m.lane, m.other)
    left, right = sorted((source, target))
    beside = wide and m.lane == left  # it begins behind the block, not at the line
    start, end = _rail(left, wide) + (2 if beside else 0), _rail(right, wide) + wide
    looks = f"arrow {'right' if target == right else 'left'}{'' if beside else ' mid'} {m.effect}"
    return html('<i class="{}" style="grid-area:{}/{}/{}/{}"></i>', looks, number, start, number + 1, end)


def _shown(timeline: Timeline, row: _Row) -> tuple[str, Markup]:
    m = row.moment
    if m.effect == "end":
        return " ended", html("<span>■ {}</span>", m.call)
    call = _code(_shortened(m.call_seen or m.call, LONGEST_CALL))
    more = _more(m.name, m.called, _shortened(m.full, MOST_SHOWN))
    if row.part == "begin":
        return "", html("<code>{}</code> <span>waits …</span>{}", call, more)
    result = f"{'✖ FAILED ' if m.failed else ''}{m.result_seen or m.result}"
    if row.part == "return":
        call, result = html("<b>{}</b>", m.called or m.name), f"returns {result}"
    return " failed" if m.failed else " lost" if m.lost else "", html(
        "<code>{}</code> <span>{}</span>{}{}{}", call, result, _remark(timeline, m), _took(m), more
    )


def _remark(timeline: Timeline, m: Moment) -> Markup | str:
    if m.other is not None:
        return _aside(f"{'←' if m.effect in ('wait', 'gate') else '→'} {timeline.lanes[m.other].name}")
    return _aside(m.remark) if m.remark and not m.lost else ""


def _took(m: Moment) -> Markup | str:
    return _small(duration(m.end - m.start)) if m.end > m.start and m.effect != "exit" else ""


# What the next run's picture says again is remembered.


@lru_cache(maxsize=128)
def _aside(words: str) -> Markup:
    return html(" <em>{}</em>", words)


@lru_cache(maxsize=512)
def _small(words: str) -> Markup:
    return html(" <small>{}</small>", words)


@lru_cache(maxsize=128)
def _code(call: str) -> Markup:
    """Show the call, its name bold; remembered, since the next run makes the same calls."""
    name, paren, arguments = call.partition("(")
    return html("<b>{}</b>{}{}", name, paren, arguments) if paren else html("{}", name)


def _shortened(text: str, longest: int) -> str:
    """Leave the middle out, where the text is longer."""
    if len(text) <= longest:
        return text
    keep = longest - 3
    return f"{text[: keep // 2]} … {text[-(keep - keep // 2) :]}"


@lru_cache(maxsize=128)
def _more(name: str, called: str, full: str) -> Markup:
    """Say what hover and focus show: the man page's sentence, and the call as the kernel has it."""
    return html(' <span class="more">{} <code>{}</code></span>', _note(name, called), full)


@lru_cache(maxsize=128)
def _note(name: str, called: str) -> Markup | str:
    note = note_of(name)
    if note is None:
        return ""
    page = html(" <b>{}</b>", note.page) if note.page else ""
    return html("<span>{}{}{}</span>", note.sentence, page, kernels_name(name, called))


_LOOKS = (
    ("", "runs"),
    ("program", "runs another program (after exec)"),
    ("waits", "waits in a call"),
    ("zombie", "has ended, nobody has waited for it yet: a zombie"),
)


@lru_cache(maxsize=16)
def _legend(seen: frozenset[str], failed: bool) -> Markup:
    parts = [html('<span><i class="life {}"></i>{}</span>', look, words) for look, words in _LOOKS if look in seen]
    if failed:
        parts.append(html("<span>✖ the call failed</span>"))
    return html('<p class="legend">{}</p>', joined(parts, " "))


def timeline_html(value: RunResult | SandboxResult | Sequence[StepReport]) -> Markup:
    """Show the picture in its frame: lanes, arrows, blocks; hover or focus a block for more."""
    return card(lanes_html(drawn(value)), "timeline")
