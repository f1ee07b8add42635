"""What a sandbox run looks like, as text and as HTML, and how its lines are marked while it runs.

The text is deterministic as far as the run was: pids, times and addresses are left to the HTML.
"""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.display import text as plain
from udock_lab.display.html import card, details, paragraphs, say, table
from udock_lab.model import OutputChunk, SandboxProcess, SandboxResult

__all__ = ["TaggedLines", "calls_text", "process_ending", "sandbox_html", "sandbox_text"]

_COLOURS = (34, 32, 35, 36, 33)  # SGR codes (console_codes(4)) that are readable on light and dark


class TaggedLines:
    """Marks every line with its author while output streams: ``child 1   4312 │ hello``.

    ``show`` gets (stream, text). A line that is not finished waits for its end, or for :meth:`finish`; what one
    process writes is never put into another one's line.
    """

    def __init__(self, show: Callable[[str, str], None], *, colour: bool = True) -> None:
        self._show = show
        self._colour = colour
        self._begun: dict[tuple[int, str], str] = {}
        self._roles: dict[int, str] = {}
        self._hues: dict[int, int] = {}

    def take(self, chunk: OutputChunk) -> None:
        """One chunk as it arrives; all its complete lines are shown at once."""
        self._roles[chunk.pid] = chunk.role
        key = (chunk.pid, chunk.stream)
        whole, newline, rest = (self._begun.pop(key, "") + chunk.text).rpartition("\n")
        if rest:
            self._begun[key] = rest
        if newline:
            tag = self._tag(chunk.pid)
            self._show(chunk.stream, "".join(f"{tag}{line}\n" for line in whole.split("\n")))

    def finish(self) -> None:
        """Show the lines that never ended."""
        for (pid, stream), text in self._begun.items():
            self._show(stream, f"{self._tag(pid)}{text}\n")
        self._begun.clear()

    def _tag(self, pid: int) -> str:
        hue = self._hues.setdefault(pid, _COLOURS[len(self._hues) % len(_COLOURS)])
        words = f"{self._roles[pid]:<9} {pid:>6} │"
        return f"\x1b[{hue}m{words}\x1b[0m " if self._colour else f"{words} "


def process_ending(process: SandboxProcess) -> str:
    """``exited with code 42, as /bin/sh``; ``killed when the sandbox ended``."""
    words = plain.ending(process.status) if process.status is not None else "ended; nobody here saw how"
    if process.leftover:
        words = "still there at the end, and killed"
    return f"{words}, as {process.program}" if process.program else words


def sandbox_text(result: SandboxResult) -> str:
    """Verdict, processes, notes, and the calls where they were asked for."""
    width = max((len(process.role) for process in result.processes), default=0)
    lines = [_capital(result.verdict)]
    shown = result.processes[:12]
    lines += [f"  {_role(process):<{width}}  {process_ending(process)}" for process in shown]
    if len(result.processes) > len(shown):
        lines.append(f"  and {len(result.processes) - len(shown)} more")
    lines += [f"  note: {note}" for note in result.notes]
    if result.shows_calls:
        lines += [f"  {line}".rstrip() for line in calls_text(result).splitlines()]
    return "\n".join(lines)


def calls_text(result: SandboxResult) -> str:
    """One call a line, its process before it, a child's between its fork and the wait for it."""
    if result.untraced:
        return f"no system calls: {result.untraced}"
    from udock_lab.display.timeline import timeline_text

    return timeline_text(result)


def sandbox_html(result: SandboxResult) -> str:
    """The card of one sandbox run."""
    rows = [[_role(p), str(p.pid), str(p.parent or "-"), process_ending(p)] for p in result.processes[:24]]
    body = f'<p class="verdict">{say(_capital(result.verdict))}</p>'
    body += table(("process", "pid", "forked by", "how it ended"), rows)
    if len(result.processes) > len(rows):
        body += paragraphs(f"and {len(result.processes) - len(rows)} more processes")
    body += "".join(paragraphs(note, "note") for note in result.notes)
    if result.shows_calls:
        body += details("Who made which call, and when", _calls_html(result), is_open=True)
    return card(body, "sandbox run")


def _calls_html(result: SandboxResult) -> str:
    if result.untraced:
        return paragraphs(result.untraced, "note")
    from udock_lab.display.lanes import lanes_html
    from udock_lab.display.timeline import drawn

    return lanes_html(drawn(result))


def _role(process: SandboxProcess) -> str:
    return process.role if not process.role.startswith("process") else "process"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
