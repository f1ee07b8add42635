"""What an exercise is: requirements with points, and the stories by which a judge finds out whether they hold.

::

    requirements.py   what is promised, to whom, for how many points: TITLE, FUNCTIONS, REQUIREMENTS
    judge.py          how it is seen: functions marked with @story, each of which judges the requirements it names
    scenes.py         what the sandbox runs: functions that take the learner's
    reproductions.py  how a learner sees a failure again: functions marked with @reproduces; may be left out
    bridges.py        what comes before the exercise in its notebook: BRIDGES (bridge.py); may be left out

A folder of this shape is an exercise, wherever it lies (sources.py); so is its hidden half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from udock_lab.model import Requirement

if TYPE_CHECKING:
    from udock_lab.grading.bench import Bench
    from udock_lab.grading.bridge import Bridge
    from udock_lab.grading.reproduction import Reproduction

__all__ = ["Exercise", "Story", "story"]


@dataclass(frozen=True, slots=True)
class Story:
    """A part of a judge that can be played by itself: ``tell`` judges the requirements ``keys``.

    It is told only if those of ``after`` hold, without which there is nothing to see.
    """

    tell: Callable[[Bench], None]
    keys: tuple[str, ...]
    after: tuple[str, ...] = ()


def story(*keys: str, after: tuple[str, ...] = ()) -> Callable[[Callable[[Bench], None]], Story]:
    """Make a story of a function: it judges the requirements of these keys, in this order.

    ``after``: keys of requirements without which these can't be judged at all. Stories that don't wait for one
    another are played side by side.
    """
    return lambda tell: Story(tell, keys, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """One exercise. ``functions``: what a learner writes, in the order in which a scene takes them."""

    slug: str
    title: str
    functions: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    stories: tuple[Story, ...]
    hidden: bool = False
    reproductions: tuple[Reproduction, ...] = ()
    bridges: tuple[Bridge, ...] = ()
