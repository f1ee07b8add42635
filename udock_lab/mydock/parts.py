"""The seven parts of a small ``mdock run``, each an exercise: which of them the learner wrote, and where that stands.

A function that lives in this notebook goes first. Else the saved notebook of the exercise is read, as a graded run
reads it; nothing of that is run here.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from udock_lab.errors import MdockError
from udock_lab.grading.handedin import solution_in
from udock_lab.grading.notebook import Solution, does_something
from udock_lab.grading.sources import SLUGS, exercise
from udock_lab.grading.unwritten import is_unwritten
from udock_lab.text.unreadable import UNREADABLE

__all__ = ["WHOLE", "Part", "called", "parts_here", "short"]

WHOLE = "m2_7_mdock_run"  # the part that puts all others together
_LAUNCH, _START = "m2_1_process_creation", "m2_6_exec_failure"
_ARGUMENTS = {_START: 1, WHOLE: 3}  # both are called run
_MOST_BYTES = 10 << 20  # of a notebook


class Part(NamedTuple):
    """One exercise: its functions live in ``here``, or stand in a notebook that was read: ``kept``, from ``path``.

    Where both are empty the part is not written yet, and ``path`` says where to write it.
    """

    slug: str
    functions: tuple[str, ...]
    here: dict[str, Callable[..., object]]
    kept: Solution | None
    path: str

    @property
    def is_theirs(self) -> bool:
        """Whether the learner wrote it."""
        return bool(self.here) or self.kept is not None


def short(slug: str) -> str:
    """Return what a table says of an exercise: ``M2.7``."""
    return ".".join(slug.split("_")[:2]).upper()


def parts_here(namespace: Mapping[str, Any]) -> list[Part]:
    """Return all seven, as the notebook's ``namespace`` and the saved notebooks near the current folder have them."""
    return [_part(slug, namespace) for slug in SLUGS]


def called(parts: Sequence[Part]) -> list[Part]:
    """Return the learner's parts that a run calls: the whole alone; else all, and of the two that start a program one.

    That is the later one, which knows why a program did not start.
    """
    mine = {part.slug: part for part in parts if part.is_theirs}
    if WHOLE in mine:
        return [mine[WHOLE]]
    if _START in mine:
        mine.pop(_LAUNCH, None)
    return list(mine.values())


def _part(slug: str, namespace: Mapping[str, Any]) -> Part:
    functions = exercise(slug).functions
    path = _notebook_of(slug)
    wanted = _ARGUMENTS.get(slug)
    written = {name: namespace[name] for name in functions if _is_written(namespace.get(name), wanted)}
    if len(written) == len(functions):
        return Part(slug, functions, written, None, path)
    return Part(slug, functions, {}, _kept(path, functions), path)


def _is_written(value: Any, arguments: int | None) -> bool:
    """Return whether this is a function of the notebook that does more than to say that it is not written."""
    if not inspect.isfunction(value) or value.__module__ != "__main__" or is_unwritten(value):
        return False
    if arguments is None:
        return True
    try:
        inspect.signature(value).bind(*range(arguments))
    except (TypeError, ValueError):
        return False
    return True


def _notebook_of(slug: str) -> str:
    """Return where the exercise's notebook lies, from here, or would lie in a learner's folder."""
    file = f"{slug}/{slug}.ipynb"
    places = (f"../{file}", f"exercises/{file}", f"../exercises/release/{file}")
    return next((place for place in places if Path(place).is_file()), f"exercises/{file}")


def _kept(path: str, functions: tuple[str, ...]) -> Solution | None:
    """Return the answer in a saved notebook; None where there is none, or none that is filled in."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_BYTES)
        found = solution_in(content, path, {}, frozenset(), functions)
    except (OSError, MdockError):
        return None
    written: set[str] = set()
    for part in found.parts:
        try:
            body = ast.parse(part.text).body
        except UNREADABLE:
            return None
        named = [one for one in body if isinstance(one, ast.FunctionDef) and one.name in functions]
        written |= {one.name for one in named if does_something(one)}
    return found if written == set(functions) else None
