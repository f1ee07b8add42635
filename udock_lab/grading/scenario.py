"""A scenario as a function of its own: its names and the learner's helpers are not in each other's way."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent

__all__ = ["apart", "job"]


def apart(arguments: str, body: str) -> str:
    """Source that calls ``body`` with what :func:`job` packed; what it returns becomes the result's value."""
    return f"def __scenario({arguments}):\n{indent(body.strip(chr(10)), '    ')}\n__value__ = __scenario(**__job)\n"


def job(**arguments: object) -> Mapping[str, object]:
    """Values for a scenario made by :func:`apart`."""
    return {"__job": arguments}
