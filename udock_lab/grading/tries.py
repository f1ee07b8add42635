"""How often the judging of a submission began and did not end: one that ends its judge's process is found by that.

A byte is added to ``OUT/.tries/<learner>/<name>`` before, and the file goes away after. It says nothing of a machine
that was switched off, so three are needed until a submission is no longer tried.
"""

from __future__ import annotations

from pathlib import Path

from udock_lab.grading.submissions import Sent

__all__ = ["MOST", "Tries"]

MOST = 3


class Tries:
    """The tries of all submissions whose results are in ``out``; any number of processes may count."""

    def __init__(self, out: Path) -> None:
        self._folder = out / ".tries"

    def before(self, sent: Sent) -> int:
        """Return how many tries of it have not come to an end."""
        try:
            return self._place(sent).stat().st_size
        except OSError:
            return 0

    def begin(self, sent: Sent) -> None:
        """Count one more."""
        place = self._place(sent)
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("ab") as file:
            file.write(b".")

    def end(self, sent: Sent) -> None:
        """Forget them: this one came to an end."""
        self._place(sent).unlink(missing_ok=True)

    def _place(self, sent: Sent) -> Path:
        return self._folder / sent.learner / sent.name
