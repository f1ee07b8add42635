"""How the lines of several processes are told apart while they run."""

from __future__ import annotations

from collections.abc import Callable

from udock_lab.model import (
    OutputChunk,
)

__all__ = ["TaggedLines"]

# White on a dark ground of its own: readable on any page (WCAG 2.2, 1.4.3), light, dark, or red as stderr is shown.
# The 16 named colours are each front end's own, and most are too pale. These are of the 256 that are the same
# everywhere: blue, green, purple, teal, brown.
_GROUNDS = (25, 22, 90, 23, 94)
_WHITE = 231


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
        self._grounds: dict[int, int] = {}

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
        ground = self._grounds.setdefault(pid, _GROUNDS[len(self._grounds) % len(_GROUNDS)])
        words = f"{self._roles[pid]:<9} {pid:>6} "
        return f"\x1b[38;5;{_WHITE};48;5;{ground}m{words}\x1b[0m│ " if self._colour else f"{words}│ "
