"""What changed in a process between two moments.

The text is the same on every machine that did the same: it shows the rows that changed, with words for what
differs from machine to machine (whose user id, which namespace), and only names those that did not.
"""

from __future__ import annotations

from udock_lab.display.changes import both_moments, change_notes, change_rows, why_alone
from udock_lab.display.eliding import elided
from udock_lab.display.tables import table
from udock_lab.model import (
    RunResult,
)
from udock_lab.text.terminal import printable

__all__ = ["changes_text"]


def changes_text(run: RunResult) -> str:
    """Show what changed, at the gate and before exec, then the names of what did not."""
    pair = both_moments(run)
    if pair is None:
        return why_alone(run)
    rows = change_rows(*pair)
    changed = [
        [
            row.name,
            *(elided(word or value, run) for word, value in zip(row.words, (row.before, row.after), strict=True)),
        ]
        for row in rows
        if row.changed
    ]
    lines = table(("CHANGED", pair[0].moment.upper(), pair[1].moment.upper()), changed).splitlines()
    lines.append(f"the same: {', '.join(row.name for row in rows if not row.changed)}")
    lines += change_notes(*pair)
    return "\n".join(printable(line) for line in lines)
