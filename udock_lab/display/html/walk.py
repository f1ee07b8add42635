"""A traced program to walk through: the source with the line that runs lit up, and each process as it is then.

What it says stands in a list in the order of time, which needs no script. A small script (``walk.js``) puts a slider
above it, for mouse and arrow keys (which JupyterLab would take for its own but for ``data-lm-suppress-shortcuts`` on
the slider itself), and shows one stop at a time; where scripts are taken out, the list stays.
"""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path

from udock_lab.display.cells import function_at, lines_of, shown_lines
from udock_lab.display.markup import Markup, attributes, details, html, joined, style_sheet, trusted, verbatim
from udock_lab.display.text.walk import stop_text
from udock_lab.display.traceevents import trace_json
from udock_lab.display.walk import Life, Stop, Walk, held_up, walked
from udock_lab.model import SandboxResult
from udock_lab.model.descriptors import OpenFile

__all__ = ["walk_html"]

EXPORTED = 60_000  # characters of a trace that the card takes with it
MOST = 120_000  # characters of panels
LINES = 200  # of source that are shown
SHARED = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # marks of open files that several descriptors share


def walk_html(result: SandboxResult) -> Markup:
    """Show the walk through a result that knows its lines, without the frame; nothing for any other."""
    walk = walked(result)
    if not walk.stops:
        return html("")
    panels = _Panels(walk)
    stops = [stop for number in range(len(walk.stops)) if (stop := panels.stop(number)) is not None]
    notes = list(walk.notes)
    if len(stops) < len(walk.stops):
        notes.append(f"The slider has the first {len(stops)} of {len(walk.stops)} stops; the list has all.")
    return html(
        '{}<div class="walk"><div class="stage" hidden><p class="bar">'
        '<button type="button" class="back" aria-label="one stop back">◀</button>'
        '<input type="range" min="0" max="0" value="0" aria-label="stop" data-lm-suppress-shortcuts="true" />'
        '<button type="button" class="on" aria-label="one stop on">▶</button>'
        '<output aria-live="polite"></output></p>'
        '<div class="two">{}'
        '<div><div class="why"></div><div class="lives"></div></div></div></div>{}{}{}{}</div>',
        *(style_sheet("walk.css"), _sources(walk), joined(html('<p class="note">{}</p>', note) for note in notes)),
        *(details("Every stop in words", _listed(walk), is_open=False), _export(result)),
        _script(stops, panels.found),
    )


def _sources(walk: Walk) -> Markup:
    """Show the code, and under it the functions of the notebook in which a stop is, each while somebody is in it."""
    code = joined(html("<li>{}</li>", _line(text)) for text in walk.source[:LINES])
    code = html('<ol class="source" aria-label="the code">{}</ol>', code)
    if not any(stop.cell for stop in walk.stops):
        return code
    parts, left = [html("<div>"), code], LINES
    for number, cell in enumerate(walk.cells, 1):
        at = {life.line for stop in walk.stops for life in stop.lives if life.cell == number}
        at |= {stop.line for stop in walk.stops if stop.cell == number}
        shown, texts = shown_lines(cell, at)[:left], lines_of(cell)
        left -= len(shown)
        names = ", ".join(dict.fromkeys(function_at(cell, line) for line in sorted(at)))
        items = joined(html('<li value="{}">{}</li>', line, _line(texts[line - 1])) for line in shown)
        parts.append(
            html(
                '<div class="own" hidden><p><small>{}, from a cell of the notebook</small></p>'
                '<ol class="source" data-cell="{}" aria-label="{}">{}</ol></div>',
                *(names, number, f"the code of {names}", items),
            )
        )
    return joined([*parts, html("</div>")])


def _line(text: str) -> Markup:
    return html("<code>{}</code> <small></small>", verbatim(text) if text else " ")


def _export(result: SandboxResult) -> Markup:
    """Offer the trace for Perfetto: as a link while it is small, else by the function that gives it."""
    data = trace_json(result)
    if len(data) > EXPORTED:
        return html("<p><small>For Perfetto: udock_lab.display.trace_json(result) gives this trace.</small></p>")
    link = "data:application/json;base64," + base64.b64encode(data.encode("ascii")).decode("ascii")
    return html('<p><a download="trace.json" href="{}">This trace for Perfetto</a></p>', link)


def _listed(walk: Walk) -> Markup:
    items = []
    for stop in walk.stops:
        source = walk.text_of(stop) if stop.moment is not None else ""
        code = html(" <code>{}</code>", source) if source else ""
        changed = joined(html("<br />{}", words) for words in (*stop.changed, *held_up(walk, stop)))
        items.append(html("<li>{}{}{}</li>", stop_text(walk, stop), code, changed))
    return html('<ol class="stops">{}</ol>', joined(items))


def _script(stops: list[dict[str, object]], panels: list[str]) -> Markup:
    data = json.dumps({"stops": stops, "panels": panels}, separators=(",", ":"))
    safe = data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return html('<script type="application/json">{}</script><script>{}</script>', trusted(safe), _code())


@cache
def _code() -> Markup:
    text = (Path(__file__).parents[1] / "walk.js").read_text(encoding="utf-8").partition("*/")[2]
    return trusted("{" + " ".join(text.split()) + "}")


class _Panels:
    """Makes the panel of each process at each stop, each different one once."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.found: list[str] = []
        self._numbers: dict[str, int] = {}
        self._size = 0

    def stop(self, number: int) -> dict[str, object] | None:
        """Return one stop as the script wants it; None when there is too much already."""
        if self._size > MOST:
            return None
        stop = self.walk.stops[number]
        before = self.walk.stops[number - 1] if number else None
        lanes = [lane for lane, life in enumerate(stop.lives) if life.state]
        why = joined(html("<p>{}</p>", words) for words in stop.changed)
        why += joined(html('<p class="note">{}</p>', words) for words in held_up(self.walk, stop))
        return {
            "line": stop.line,
            **({"cell": stop.cell} if stop.cell else {}),
            "moment": stop.moment,
            "says": stop_text(self.walk, stop),
            "at": [self._at(stop, lane) for lane in lanes if stop.lives[lane].state != "ended"],
            "why": self._panel(why),
            "lives": [self._panel(self._life(stop, before, lane)) for lane in lanes],
        }  # fmt: skip

    def _at(self, stop: Stop, lane: int) -> list[object]:
        """Return who is on which line, and in which cell where that is not the code."""
        life = stop.lives[lane]
        return [self.walk.timeline.lanes[lane].name, life.line, *([life.cell] if life.cell else [])]

    def _panel(self, shown: Markup) -> int:
        if shown not in self._numbers:
            self._numbers[shown] = len(self.found)
            self.found.append(str(shown))
            self._size += len(shown)
        return self._numbers[shown]

    def _life(self, stop: Stop, before: Stop | None, lane: int) -> Markup:
        """Show one process: what it does, its variables, its descriptors, what it holds back."""
        facts, life = self.walk.timeline.lanes[lane], stop.lives[lane]
        was = before.lives[lane] if before is not None else Life()
        new = not was.state  # a copy of its parent, or the beginning: nothing has changed
        acts = attributes(kind="process acts" if lane == stop.lane else "process")
        rows = joined(
            _row(name, html("<code>{}</code>", value), changed=not new and was.variables.get(name) != value)
            for name, value in life.variables.items()
        )
        held = joined(
            html(
                "<p>Printed and not written yet{}: <mark>{}</mark></p>", "" if name == "stdout" else f" ({name})", text
            )
            for name, text in life.held.items()
            if text != "''"
        )
        parts = [
            html(
                '<p class="name"><b>{}</b> <small>pid {}</small> <span class="{}">{}</span></p>',
                facts.name,
                facts.pid,
                *_state(life),
            )
        ]
        if rows and life.state != "ended":
            parts.append(html('<table aria-label="variables"><tbody>{}</tbody></table>', rows))
        if life.state != "ended":
            parts += [held, self._descriptors(stop, before if not new else None, facts.pid)]
        return html("<section{}>{}</section>", acts, joined(parts))

    def _descriptors(self, stop: Stop, before: Stop | None, pid: int) -> Markup:
        rows, table = [], stop.open.tables.get(pid, ())
        if [(one.fd, one.file) for one in table[:3]] == [(0, 0), (1, 1), (2, 2)]:
            rows, table = [_row("0-2", html("<small>as at the start: no input, output, errors</small>"))], table[3:]
        for one in table:
            file = stop.open.files[one.file]
            was = before.open.file_of(pid, one.fd) if before is not None else None
            rows.append(
                _row(str(one.fd), self._file(stop, pid, one.fd, file), changed=was != file and before is not None)
            )
        caption = "descriptors, and the open file behind each"
        return html('<table aria-label="{}"><tbody>{}</tbody></table>', caption, joined(rows)) if rows else html("")

    def _file(self, stop: Stop, pid: int, fd: int, file: OpenFile) -> Markup:
        """Name an open file; one that others hold, too, has a letter, the same wherever it is held."""
        offset = html(" <small>offset {}</small>", file.offset) if file.offset is not None else ""
        others = [holder for holder in stop.open.holders(file) if holder != (pid, fd)]
        if not others or (file.number < 3 and fd < 3):
            return html("{}{}", file.described, offset)
        letter = SHARED[(file.number - 3) % len(SHARED)]
        names = {one.pid: one.name for one in self.walk.timeline.lanes}
        with_whom = ", ".join(dict.fromkeys(names.get(p, "another") if p != pid else f"{f}" for p, f in others))
        return html(
            '<b class="shared s{}">{}</b> {}{} <small>shared with {}</small>',
            *((file.number - 3) % 4, letter, file.described, offset, with_whom),
        )


def _row(name: str, value: Markup, *, changed: bool = False) -> Markup:
    return html(
        '<tr{}><th scope="row">{}</th><td>{}</td></tr>', attributes(kind="changed" if changed else ""), name, value
    )


def _state(life: Life) -> tuple[str, str]:
    if life.state == "ended":
        return "ended", "has ended"
    if life.state == "waits":
        return "waits", f"waits in {life.call}"
    return "runs", f"runs {life.program}" if life.program else "runs"
