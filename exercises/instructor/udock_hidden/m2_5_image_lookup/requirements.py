"""Hidden requirements of M2.5. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "find_image_by_name(db, name): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="large",
        name="a large database is searched in little time and little memory",
        points=1,
        lesson='m2_5_image_lookup, "What a search costs"',
    ),
    Requirement(
        key="errors",
        name="a database that is there and cannot be read is an error (OSError), not None",
        points=1,
        lesson='m2_5_image_lookup, "The same in mdock: five answers"',
    ),
)
