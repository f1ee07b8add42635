"""What there is to say and no result carries: a line that is no record, a log that could not be written."""

from __future__ import annotations

import os

from udock_lab.runtime.state.eventlog import write_event
from udock_lab.runtime.state.home import Home, storage_error
from udock_lab.text.terminal import printable

__all__ = ["Unsaid"]


class Unsaid:
    """Sentences that wait until somebody asks for them (:meth:`take`)."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._sentences: list[str] = []
        self._known: set[bytes] = set()

    def add(self, sentence: str) -> None:
        """Keep a sentence until it is taken."""
        self._sentences.append(sentence)

    def take(self) -> list[str]:
        """Return what was not said so far; now it is."""
        taken, self._sentences = self._sentences, []
        return taken

    def no_records(self, path: str, lines: list[bytes]) -> None:
        """Tell of the lines of a table that did not parse; of each one once."""
        for line in lines:
            if line not in self._known:
                self._known.add(line)
                shown = printable(line[:60].decode("utf-8", "backslashreplace"))
                table = os.path.basename(path)
                self.add(f"{table} has a line that is no record; it is kept as it is: '{shown}'")

    def log(self, event: str, **fields: object) -> None:
        """Write to the event log. Where it cannot be written, what happened has happened all the same."""
        try:
            write_event(self._home, event, **fields)
        except OSError as error:
            self.add(f"log.txt lacks a line ({event}): {storage_error(error, self._home.path).message}")
