"""Which statements of a notebook belong to an answer, and which are attempts: learners try out what they write.

In the notebook each cell ran when it was written, with what the machine had then. In a graded run all of it would
run again before each scenario; an attempt would fork, write files and be taken for what the answer does. So of
cells that are no solution cells there stay definitions, and statements that make what the answer uses: that fill a
table, for instance. Statements that call the exercise's own functions stay nowhere.

Each cell is read once, and nothing here is slower than its length.
"""

from __future__ import annotations

from udock_lab.grading.statements import Code, Statement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["calling", "choose", "needed"]

_NOTEBOOK_ONLY = ("check", "check_hidden", "display", "get_ipython")


def calling(codes: Iterable[Code], functions: Sequence[str]) -> set[str]:
    """Return the exercise's functions, what only a notebook has, and every function that uses one of those."""
    used = {name: names for code in codes for name, names in code.functions.items()}
    users: dict[str, list[str]] = {}
    for name, names in used.items():
        for other in names:
            users.setdefault(other, []).append(name)
    found: dict[str, None] = dict.fromkeys([*functions, *_NOTEBOOK_ONLY])
    return _reached(found, users)


def _reached(found: dict[str, None], following: Mapping[str, Iterable[str]]) -> set[str]:
    """Return all that can be reached from what is found; each name is looked at once."""
    queue = list(found)
    for name in queue:  # grows
        for other in following.get(name, ()):
            if other not in found:
                found[other] = None
                queue.append(other)
    return set(found)


def needed(whole: Iterable[Code], added: Iterable[Code], tried: set[str], functions: Sequence[str]) -> set[int]:
    """Return which statements (by their ``id``) of the cells ``added`` make something that the answer uses.

    ``whole`` cells run as they are but for attempts. What a needed statement uses is needed, too.
    """
    whole, added = list(whole), list(added)
    wanted = {*functions, *(name for code in (*whole, *added) for name in code.used)}
    running = [one for code in whole for one in code.statements if not one.is_definition and not one.calls & tried]
    wanted.update(name for one in running for name in one.uses)
    modules = {name for code in (*whole, *added) for name in code.imported}
    makers: dict[str, list[int]] = {}
    statements = {
        id(one.node): one
        for code in added
        for one in code.statements
        if not one.is_definition and not one.calls & tried
    }
    for key, one in statements.items():
        for name in one.binds | (one.changes - modules):
            makers.setdefault(name, []).append(key)
    kept: dict[int, None] = {}
    queue = list(wanted)
    for name in queue:  # grows
        for key in makers.get(name, ()):
            if key not in kept:
                kept[key] = None
                fresh = statements[key].uses - wanted
                wanted |= fresh
                queue += fresh
    return set(kept)


def choose(code: Code, tried: set[str], kept: set[int] | None, without: Sequence[str] = ()) -> str:
    """Return a cell's text in which what does not belong to the answer is ``pass``. Every line keeps its number.

    ``kept``: of a cell that is no solution cell, its statements that are needed. ``without``: functions that are
    not taken from it.
    """
    return code.without(one.node for one in code.statements if not _stays(one, tried, kept) or one.defines in without)


def _stays(one: Statement, tried: set[str], kept: set[int] | None) -> bool:
    if one.is_definition:
        return True
    if one.calls & tried:
        return False
    return kept is None or one.is_constant or id(one.node) in kept
