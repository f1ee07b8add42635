"""What a graded run will not have of this notebook, found before anybody hands it in.

``check`` gets functions that live, with all that was ever run behind them. A graded run reads the notebook's cells
(attempts.py). Here the cells that were run in this kernel are read the same way, and compared with what the functions
use. Where there is no history, or it does not know the functions, nothing is said.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from udock_lab.grading.attempts import calling, needed
from udock_lab.grading.statements import Code, Statement

__all__ = ["mark_of", "names_used_by", "warnings"]

MOST_CODE = 200_000  # characters of cells, the latest ones
_GIVEN = {"exit", "quit"}  # inside.load makes them
_PLAIN = (int, bool, float, str, bytes, tuple, type(None))  # values of an answer that tell it from another one
_OF_THE_SHELL = {
    "get_ipython": "do without it",
    "display": "print instead",
    "In": "do without it",
    "Out": "do without it",
}


def warnings(functions: Mapping[str, Callable[..., object]]) -> tuple[str, ...]:
    """Return a sentence for each name that the functions use and that will not be there, or will be another."""
    cells = _cells_run()
    codes = [Code(text) for text in cells]
    if not set(functions) <= {name for code in codes for one in code.statements for name in one.binds}:
        return ()
    used = names_used_by(functions.values()) - _GIVEN
    return tuple(_sentences(codes, used, list(functions)))


def _sentences(codes: list[Code], used: set[str], functions: list[str]) -> Iterator[str]:
    tried = calling(codes, functions)
    kept = needed((), codes, tried, functions)
    every = [one for code in codes for one in code.statements]
    stays = [one for one in every if one.is_definition or _is_taken(one, tried, kept)]
    made = {name for one in stays for name in one.binds}
    here = {name for one in every for name in one.binds}.union(_OF_THE_SHELL)
    used = {name for name in used if name in here or not hasattr(builtins, name)}  # IPython has an open() of its own
    shell = sorted(used & set(_OF_THE_SHELL) - made)
    for name in shell:
        yield f"{name} belongs to the notebook; a graded run does not have it: {_OF_THE_SHELL[name]}."
    modules = {name for code in codes for name in code.imported}
    left_out = [one for one in every if not one.is_definition and one.calls & tried]
    changed = {name for one in left_out for name in (one.binds | (one.changes - modules))}
    for name in sorted((used & changed) - set(functions)):
        tries = [one.calls & tried for one in left_out if name in one.binds | one.changes]
        yield (
            f"{name} is made or filled by a statement that calls {', '.join(sorted(set().union(*tries)))}. A graded "
            f"run leaves such attempts out, so {name} will be another one there: make it without that call."
        )
    if "*" in made:  # from os import *: what that brings is not known
        return
    for name in sorted(used - made - changed - set(shell)):
        yield (
            f"{name} is made by no cell that a graded run takes (it runs your solution cells, and of other cells "
            f"definitions and what fills what your functions use): make {name} in your solution cell."
        )


def _is_taken(one: Statement, tried: set[str], kept: set[int]) -> bool:
    return not one.calls & tried and (one.is_constant or id(one.node) in kept)


def _cells_run() -> list[str]:
    """Return what was run in this kernel, each text once, the latest ones."""
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython is not None else None
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", None)
    if not isinstance(history, list):
        return []
    found: dict[str, None] = {}
    room = MOST_CODE
    for text in reversed(history):
        room -= len(text) if isinstance(text, str) else 0
        if room < 0:
            break
        if isinstance(text, str) and text.strip():
            found.setdefault(text)
    return list(reversed(found))


def names_used_by(functions: Iterable[object]) -> set[str]:
    """Return names of the notebook that these use, also by way of other functions and classes of it."""
    found: set[str] = set()
    for _, names in _reached(functions):
        found |= names
    return found


def mark_of(functions: Mapping[str, Callable[..., object]]) -> str:
    """Return what tells an answer from another one: the same for the same code with the same plain values.

    Lines, comments and names of cells don't matter. Empty for functions of no notebook.
    """
    parts: list[str] = []
    for function, names in _reached(functions.values()):
        parts += _words_of(function.__code__)
        values = {name: function.__globals__[name] for name in sorted(names)}
        parts += [f"{name}={value!r}" for name, value in values.items() if type(value) in _PLAIN]
        parts += [repr(value) for value in (function.__defaults__ or ()) if type(value) in _PLAIN]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:16] if parts else ""


def _words_of(code: CodeType) -> Iterator[str]:
    yield f"{code.co_name} {code.co_code.hex()} {code.co_names} {code.co_varnames}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _words_of(constant)
        else:
            yield repr(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)


def _reached(functions: Iterable[object]) -> Iterator[tuple[FunctionType, set[str]]]:
    """Yield the functions of the notebook that are used here, each with the notebook's names that it uses."""
    seen: set[int] = set()
    queue: list[Any] = list(functions)
    for value in queue:  # grows
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, type):
            queue += [part for part in vars(value).values() if isinstance(part, FunctionType)]
        elif isinstance(value, FunctionType) and value.__module__ == "__main__":
            names = {name for name in _names_in(value.__code__) if name in value.__globals__}
            yield value, names
            for one in map(value.__globals__.__getitem__, sorted(names)):
                queue += [one, type(one)] if getattr(one, "__module__", None) == "__main__" else []
            queue += [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]


def _is_filled(cell: Any) -> bool:
    try:
        return isinstance(cell.cell_contents, FunctionType)
    except ValueError:
        return False


def _names_in(code: CodeType) -> set[str]:
    """Return the names that code looks up: of the notebook, and Python's own."""
    found: set[str] = set()
    queue = [code]
    for one in queue:  # grows
        found |= {step.argval for step in dis.get_instructions(one) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
        queue += [constant for constant in one.co_consts if isinstance(constant, CodeType)]
    return found
