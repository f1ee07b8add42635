"""What a lesson's cell calls where many processes, clocks or signals are needed: one line that says what it does.

::

    finding.py    what comes back: a table, a picture, the program that ran
    running.py    a program runs in a sandbox as its file has it
    races.py      race
    programs/     what runs, one file each, to be read by learners

Real processes, each time anew. ``lesson.source(lesson.race)`` shows what ran.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, TypeVar

from udock_lab.errors import UsageError
from udock_lab.lesson.experiments.finding import Source
from udock_lab.lesson.experiments.programs import racing
from udock_lab.lesson.experiments.races import Race, race
from udock_lab.lesson.showing import Shown
from udock_lab.text.nearest import nearest

__all__ = ["Experiments"]

Found = TypeVar("Found", bound=Shown)

PROGRAMS: dict[str, ModuleType] = {"race": racing}


class Experiments:
    """The part of a lesson that makes experiments."""

    def source(self, of: Any) -> Source:
        """Show the program behind an experiment: ``lesson.source(lesson.race)``, or by its name, ``"race"``."""
        name = of if isinstance(of, str) else getattr(of, "__name__", "")
        if name not in PROGRAMS:
            near = nearest(name, PROGRAMS)
            guess = f" Did you mean {near!r}?" if near else ""
            raise UsageError(f"source knows no experiment {name!r}.{guess}", f"It knows: {', '.join(PROGRAMS)}")
        return Source(f"lesson.{name}", PROGRAMS[name])

    def race(self, *ways: str, processes: int = 200) -> Race:
        """Let processes take one id each from one table, all at once; a race for each way, all five if none is named.

        ``no lock``, ``lock before reading``, ``lock after reading``, ``lock opened before fork``,
        ``lock on the table itself``. Returns what they took: ``different["no lock"]`` is how many different ids, and
        ``kept["no lock"]`` how many lines the table has afterwards. Up to ten processes are drawn, each as a bar from
        its reading to its writing.
        """
        return _shown(race(*ways, processes=processes))


def _shown(found: Found) -> Found:
    found.show()
    return found
