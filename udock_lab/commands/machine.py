"""``doctor`` and ``version``: what this machine permits, and which mdock this is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from udock_lab.commands.base import Command, Context, Outcome

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["COMMANDS"]


def doctor(args: Namespace, context: Context) -> Outcome:
    """Try each feature for real and say which rung of the ladder this machine is on."""
    return Outcome(value=context.runtime.doctor())


def version(args: Namespace, context: Context) -> Outcome:
    """mdock's version, Python's and the kernel's."""
    import sys

    from udock_lab import __version__
    from udock_lab.commands.results import Text

    python = ".".join(str(part) for part in sys.version_info[:3])
    system = os.uname()
    return Outcome(value=Text(f"mdock {__version__} (Python {python}, {system.sysname} {system.release})"))


COMMANDS = (
    Command(
        name="doctor",
        summary="what this machine permits, each feature tried for real",
        usage="",
        handler=doctor,
        examples="  mdock doctor",
    ),
    Command(
        name="version",
        summary="show the version",
        usage="",
        handler=version,
        examples="  mdock version",
    ),
)
