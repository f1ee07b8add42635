"""How the lines of several processes are told apart while they run."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.model import (
    OutputChunk,
)

__all__ = ["TaggedLines"]

# A mark in front, the words in the page's own colour: readable on any page (WCAG 2.2, 1.4.3), light, dark, or red as
# stderr is shown. The 16 named colours are each front end's own, and most are too pale for text. These are of the 256
# that are the same everywhere: blue, green, purple, teal, brown.
_MARKS = (32, 34, 134, 37, 136)


class TaggedLines:
    """Mark every line with its author while output streams: ``child 1   4312 │ hello``.

    ``show`` gets (stream, text). A line that is not finished waits for its end, or for :meth:`finish`; what one
    process writes is never put into another one's line.
    """

    def __init__(self, show: Callable[[str, str], None], *, colour: bool = True) -> None:
        self._show = show
        self._colour = colour
        self._begun: dict[tuple[int, str], str] = {}
        self._roles: dict[int, str] = {}
        self._marks: dict[int, int] = {}

    def take(self, chunk: OutputChunk) -> None:
        """Take one chunk as it arrives; all its complete lines are shown at once."""
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
        mark = self._marks.setdefault(pid, _MARKS[len(self._marks) % len(_MARKS)])
        words = f"{self._roles[pid]:<9} {pid:>6} │ "
        return f"\x1b[48;5;{mark}m \x1b[0m {words}" if self._colour else words
