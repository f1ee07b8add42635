"""One run through the learner's functions: in the sandbox, traced, in a home that is theirs alone.

That home is the folder ``mydock`` in the learner's own: a function with a fault in it may tear the tables there, and
never those of mdock, whose containers may be running. It stays from run to run, as a runtime's home does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from udock_lab.grading.submission import notebook_cells, patience
from udock_lab.lesson.scratch import learner_home
from udock_lab.model import OutputChunk, SandboxResult
from udock_lab.model.value import replace
from udock_lab.mydock.parts import Part, called
from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.state.removal import remove_tree
from udock_lab.sandbox import run
from udock_lab.sandbox.names import packed

__all__ = ["forget", "home", "run_program", "table_lines"]

_SOURCE = """
from udock_lab.mydock.inside import play as __play
__value__ = __play(__place, __live, __kept, __cells)
"""


def home() -> str:
    """Return the folder in which the learner's functions keep their tables."""
    return f"{learner_home()}/mydock"


def run_program(
    parts: Sequence[Part], image: str, argv: list[str], timeout: float, on_output: Callable[[OutputChunk], None]
) -> SandboxResult:
    """Run it; ``result.value`` is what inside.play returned, None where nothing came back."""
    place = home()
    runtime = Runtime(place, spare=False)
    try:
        runtime.demo()
    finally:
        runtime.close()
    open(f"{place}/containers.db", "ab").close()  # both tables exist, as the exercise promises
    wanted = called(parts)
    for part in wanted:
        packed(part.here)  # says which name cannot be copied
    names = {
        "__place": (place, image, argv),
        "__live": {part.slug: [part.here[name] for name in part.functions] for part in wanted if part.here},
        "__kept": {
            part.slug: ([(one.name, one.text, one.whole) for one in part.kept.parts], part.kept.futures, part.functions)
            for part in wanted
            if part.kept is not None
        },
        "__cells": notebook_cells(),
    }
    result = run(_SOURCE, names=names, trace=True, timeout=timeout * patience(), cwd=place, on_output=on_output)
    return replace(result, calls=tuple(call for call in result.calls if _PACKAGE not in call.arguments))


_PACKAGE = f'"{Path(__file__).absolute().parents[1]}'  # what is read there, or compiled, is no call of a learner's


def table_lines() -> list[str]:
    """Return the lines of the table of containers, as the learner's functions wrote them."""
    try:
        with open(f"{home()}/containers.db", "rb") as file:
            return file.read().decode("utf-8", "backslashreplace").splitlines()
    except FileNotFoundError:
        return []


def forget() -> bool:
    """Remove that home, its tables and its image; return whether there was one."""
    place = home()
    there = os.path.lexists(place)
    if there:
        remove_tree(place)
    return there
