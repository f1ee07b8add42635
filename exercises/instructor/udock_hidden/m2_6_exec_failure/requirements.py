"""Hidden requirements of M2.6. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "run(argv): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="errnos",
        name="every other errno of execve arrives as it is, with code 126",
        points=1,
        lesson='m2_6_exec_failure, "Action"',
    ),
    Requirement(
        key="inherits",
        name="the program gets all its words and the environment",
        points=1,
        lesson='m2_1b_exec_and_wait, "Action"',
    ),
)
