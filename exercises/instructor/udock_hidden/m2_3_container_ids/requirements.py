"""Hidden requirements of M2.3. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "next_id(db) and allocate(db): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="torn",
        name="a last line that was torn off keeps its bytes, and the new record begins on a line of its own",
        points=1,
        lesson='m2_3_container_ids, "Result"',
    ),
    Requirement(
        key="failing",
        name="the lock is given back also when the file cannot be read or written",
        points=1,
        lesson='m2_3_container_ids, "flock makes it one step"',
    ),
)
