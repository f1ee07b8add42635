"""Hidden requirements of M2.1. For lecturers; never handed out."""

from __future__ import annotations

from udock_lab.model import Requirement

__all__ = ["REQUIREMENTS", "TITLE"]

TITLE = "launch(argv): what is judged when you hand in"
REQUIREMENTS = (
    Requirement(
        key="codes",
        name="every exit code from 0 to 255 arrives unchanged",
        points=1,
        lesson='m2_1b_exec_and_wait, "What waitpid hands back"',
    ),
    Requirement(
        key="inherits",
        name="the program inherits the environment and no open file beyond 0, 1 and 2",
        points=1,
        lesson='m2_1b_exec_and_wait, "Action"',
    ),
)
