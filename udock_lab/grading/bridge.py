"""A bridge between a lesson and its exercise: a function to complete, one to repair, three minutes each.

A bridge is judged by stories of the exercise's own judge, for some of its requirements, and earns no points::

    BRIDGES = (Bridge(kind="complete", function="start", stands_for="launch", keys=("starts", "becomes")),)

in an exercise's ``bridges.py``. In the notebook ``...`` stands for what is to be filled in; as long as one is there
nothing is run, and the report names the line.
"""

from __future__ import annotations

import dataclasses
import dis
import linecache
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING

from udock_lab.errors import UsageError
from udock_lab.grading.submission import Submission
from udock_lab.model import CheckReport, Judgement
from udock_lab.model.value import replace

if TYPE_CHECKING:
    from udock_lab.grading.exercise import Exercise, Story

__all__ = ["COMPLETE", "REPAIR", "Bridge", "bridge_of", "judged_on", "not_asked_for", "unfilled"]

COMPLETE, REPAIR = "complete", "repair"
_HEADS = {COMPLETE: "Bridge, complete it", REPAIR: "Bridge, repair it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """``function``: what it is called; ``stands_for``: the exercise's function that it is a part of.

    ``stories``: told in the place of the exercise's for the same requirements, which do not show what a part has to do.
    """

    kind: str
    function: str
    stands_for: str
    keys: tuple[str, ...]
    stories: tuple[Story, ...] = ()


def bridge_of(wanted: Exercise, kind: object, functions: Sequence[object]) -> tuple[Bridge, Callable[..., object]]:
    """Return the bridge of that kind and the learner's function; UsageError with what to write."""
    known = {one.kind: one for one in wanted.bridges}
    if not known:
        raise UsageError(f"{wanted.slug} has no bridge.", f'Write: check("{wanted.slug}", ...) without bridge=')
    bridge = known.get(kind) if isinstance(kind, str) else None
    if bridge is None:
        kinds = " or ".join(f'bridge="{one}"' for one in known)
        raise UsageError(f"There is no bridge {kind!r}.", f"Write {kinds}.")
    if len(functions) != 1 or not callable(functions[0]):
        call = f'Write: check("{wanted.slug}", {bridge.function}, bridge="{kind}")'
        raise UsageError("A bridge takes one function, by its name alone.", call)
    return bridge, functions[0]


def not_asked_for(*_: object, **__: object) -> None:
    """Stand for the exercise's other functions."""
    raise NotImplementedError("this bridge does not ask for it")


def judged_on(
    wanted: Exercise,
    bridge: Bridge,
    function: Callable[..., object],
    judge: Callable[[Exercise, Submission], CheckReport],
) -> CheckReport:
    """Return the report on a bridge: of the requirements that it leads to, without points."""
    title = f"{_HEADS[bridge.kind]}: {bridge.function}"
    keys, left = set(bridge.keys), list(unfilled(function))
    if left:
        number, line = left[0]
        why = f"waits for you: in line {number} ... is still to be filled in{f': {line}' if line else ''}"
        judgements = [
            Judgement(requirement=one, passed=None, why=why) for one in wanted.requirements if one.key in keys
        ]
        report = CheckReport(slug=wanted.slug, title=title, judgements=tuple(judgements))
    else:
        own = {key for one in bridge.stories for key in one.keys}
        answer = dict.fromkeys(wanted.functions, not_asked_for) | {bridge.stands_for: function}
        part = dataclasses.replace(wanted, title=title, stories=(*bridge.stories, *_needed(wanted.stories, keys - own)))
        report = judge(part, Submission(functions=answer))
    mine = [_named(one, bridge) for one in report.judgements if one.requirement.key in keys]
    return replace(
        report, judgements=tuple(replace(one, requirement=replace(one.requirement, points=0)) for one in mine)
    )


def _named(judgement: Judgement, bridge: Bridge) -> Judgement:
    """Say the name of the learner's function where the exercise's own would be said of what it did."""
    name = re.compile(rf"\b{bridge.stands_for}(?= (?:raised|returned|comes|came|was|gives|gave)\b|\()")
    expected, seen = (name.sub(bridge.function, words) for words in (judgement.expected, judgement.seen))
    return replace(judgement, expected=expected, seen=seen)


def _needed(stories: Sequence[Story], keys: set[str]) -> Iterator[Story]:
    """Yield the stories that judge these requirements, and those that they wait for."""
    wanted = set(keys)
    for story in reversed(stories):
        if wanted & set(story.keys):
            wanted |= set(story.after)
    yield from (story for story in stories if wanted & set(story.keys))


def unfilled(function: Callable[..., object]) -> Iterator[tuple[int, str]]:
    """Yield the lines of a function that still hold ``...``: the number, in its cell, and the text."""
    code = getattr(function, "__code__", None)
    queue = [code] if isinstance(code, CodeType) else []
    for one in queue:  # grows
        queue += [inner for inner in one.co_consts if isinstance(inner, CodeType)]
        line = one.co_firstlineno
        for instruction in dis.get_instructions(one):
            line = instruction.positions.lineno or line if instruction.positions else line
            if instruction.argval is ...:
                yield line, linecache.getline(one.co_filename, line).strip()
