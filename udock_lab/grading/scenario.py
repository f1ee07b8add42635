"""A scenario as a function of its own: its names and the learner's helpers are not in each other's way."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping
from textwrap import indent

__all__ = ["apart", "job"]


def apart(arguments: str, body: str) -> str:
    """Return source that calls ``body`` with what :func:`job` packed; what it returns becomes the result's value.

    ``open`` and ``max`` in it are Python's own, also where the learner wrote ``from os import *`` or ``max = 0``.
    """
    own = f"from builtins import {', '.join(_builtins(body))}\n" if _builtins(body) else ""
    inside = indent(own + body.strip(chr(10)), "    ")
    return f"def __scenario({arguments}):\n{inside}\n__value__ = __scenario(**__job)\n"


def _builtins(body: str) -> list[str]:
    """Return the names of Python's own that it uses."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    return sorted(used & set(dir(builtins)))


def job(**arguments: object) -> Mapping[str, object]:
    """Pack values for a scenario made by :func:`apart`."""
    return {"__job": arguments}
