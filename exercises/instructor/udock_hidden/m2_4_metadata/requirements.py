"""Hidden requirements of M2.4. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "save and update: what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="mode",
        name="the table keeps its permissions",
        points=1,
        lesson='m2_4_metadata, "What the new file takes over"',
    ),
    Requirement(
        key="tidy",
        name="an update that fails leaves no temporary file behind",
        points=1,
        lesson='m2_4_metadata, "What the new file takes over"',
    ),
    Requirement(
        key="again",
        name="after a kill at any system call the next update works",
        points=1,
        lesson='m2_4_metadata, "Three ways to change a table"',
    ),
)
