"""What the exercises' functions return: how a process ended, in the learner's own words."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ExitInfo"]


class ExitInfo(NamedTuple):
    """How a program ended. Exactly one of ``code`` and ``signal`` says it; ``errno`` only if exec failed.

    ``code``: exit code 0-255, None if a signal ended it. ``signal``: its number, None if it exited by itself.
    ``errno``: the number that execve handed back when it failed, else None (exercise m2_6).
    """

    code: int | None = None
    signal: int | None = None
    errno: int | None = None
