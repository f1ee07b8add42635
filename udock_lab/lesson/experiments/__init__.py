"""What a lesson's cell calls where many processes, clocks or signals are needed: one line that says what it does.

::

    finding.py    what comes back: a table, a picture, the program that ran
    running.py    a program runs in a sandbox as its file has it
    races.py      race
    tables.py     kill_repeatedly, read_beside, write_and_delete
    roots.py      as_root, run_alone, run_three_ways
    searches.py   time_searches
    endings.py    make_odd_programs
    typed.py      type_mdock
    programs/     what runs, one file each, to be read by learners

Real processes, each time anew. ``lesson.source(lesson.race)`` shows what ran.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from textwrap import fill
from typing import TYPE_CHECKING, Any, TypeVar, cast

from udock_lab.errors import MdockError, UsageError
from udock_lab.lesson.experiments import endings, races, roots, searches, tables, typed
from udock_lab.lesson.experiments.finding import Source
from udock_lab.lesson.experiments.programs import abandoning, counting, privileges, racing, rewriting, rights, searching
from udock_lab.lesson.experiments.running import play
from udock_lab.lesson.showing import Shown, shell
from udock_lab.text.nearest import nearest
from udock_lab.text.terminal import CELL_WIDTH

if TYPE_CHECKING:
    from types import ModuleType

    from udock_lab.lesson.session import Lesson
    from udock_lab.model import Container, RunResult, SandboxResult

__all__ = ["Experiments"]

Found = TypeVar("Found", bound=Shown)

PROGRAMS: dict[str, ModuleType] = {
    "race": racing,
    "kill_mdock_midway": abandoning,
    "kill_repeatedly": rewriting,
    "read_beside": rewriting,
    "write_and_delete": counting,
    "as_root": privileges,
    "give_up": privileges,
    "have_rights": rights,
    "run_three_ways": privileges,
    "run_alone": roots,
    "time_searches": searching,
    "make_odd_programs": endings,
    "type_mdock": typed,
}


class Experiments:
    """The part of a lesson that makes experiments."""

    def source(self, of: Any) -> Source:
        """Show the program behind an experiment: ``lesson.source(lesson.race)``, or by its name, ``"race"``."""
        name = of if isinstance(of, str) else getattr(of, "__name__", "")
        if name not in PROGRAMS:
            near = nearest(name, PROGRAMS)
            guess = f" Did you mean {near!r}?" if near else ""
            raise UsageError(f"source knows no experiment {name!r}.{guess}", f"It knows: {', '.join(PROGRAMS)}")
        return Source(f"lesson.{name}" if hasattr(self, name) else name, PROGRAMS[name])

    @property
    def _lesson(self) -> Lesson:
        return cast("Lesson", self)

    # --- m2_2: another root

    def as_root(self, experiment: Callable[[], object], recording: str = "") -> SandboxResult:
        """Run a function in a sandbox as one who may chroot: with your rights, or as root of a user namespace.

        Prints what it wrote. Where this machine lets nobody chroot, a recorded run of that name is shown, or of the
        function's.
        """
        return roots.as_root(self._lesson, experiment, recording or experiment.__name__)

    def run_alone(self, program: str) -> RunResult:
        """Run a copy of a program in an image that holds this one file and nothing else."""
        return roots.run_alone(self._lesson, program)

    def run_three_ways(self) -> roots.ThreeWays:
        """Run one program with the rights you have, without CAP_SYS_CHROOT, and with ``--userns``.

        It says whether / is the image. Below the table stands what the steps of the third run changed.
        """
        return _shown(roots.run_three_ways(self._lesson))

    # --- m2_3: ids

    def race(self, *ways: str, processes: int = 200) -> races.Race:
        """Let processes take one id each from one table, all at once; a race for each way, all five if none is named.

        ``no lock``, ``lock before reading``, ``lock after reading``, ``lock opened before fork``,
        ``lock on the table itself``. Returns what they took: ``different["no lock"]`` is how many different ids, and
        ``kept["no lock"]`` how many lines the table has afterwards. Up to ten processes are drawn, each as a bar from
        its reading to its writing.
        """
        return _shown(races.race(*ways, processes=processes))

    # --- m2_4: metadata

    def kill_mdock_midway(self) -> Container:
        """Run a container in the background, then kill mdock and the container with signal 9; return what ps has."""
        play(abandoning, "run_in_the_background('demo')")
        return self._lesson.runtime.ps()[-1]

    def kill_repeatedly(self, *ways: str, times: int = 200) -> tables.Looks:
        """Kill a process that rewrites a table, at a random instant, so many times for each way of rewriting.

        ``truncate``, ``in place``, ``rename``. Returns how the table was left: ``seen["rename"]["torn"]`` is how often
        it held half of the old and half of the new, ``always_whole`` the ways that left a whole one each time.
        """
        return _shown(tables.kill_repeatedly(*ways, times=times))

    def read_beside(self, *ways: str, seconds: float = 1.0) -> tables.Looks:
        """Read a table all the time while another process rewrites it; return how often it was whole, empty, torn."""
        return _shown(tables.read_beside(*ways, seconds=seconds))

    def write_and_delete(self, *ways: str) -> tables.Sent:
        """Write a file of a million bytes and delete it at once; return how much had been sent to the disk by then.

        ``close``: written and closed. ``fsync, then close``: with a wait for the disk before.
        """
        return _shown(tables.write_and_delete(*ways))

    # --- m2_5: lookup

    def ask(self, command: str) -> None:
        """Type ``%mdock`` with these words; its answer is printed below them, a refusal too, and the cell goes on."""
        notebook = shell()
        if notebook is None:
            raise UsageError("lesson.ask types %mdock, so it needs a notebook.", "In a terminal: mdock " + command)
        notes = io.StringIO()
        try:
            with redirect_stderr(notes):  # what is said beside the answer belongs below the same words
                answer = str(notebook.run_line_magic("mdock", command) or "")
        except MdockError as error:
            answer = str(error)
        print(f"%mdock {command}")
        for line in (*notes.getvalue().splitlines(), *answer.splitlines()):
            print(fill(line, CELL_WIDTH, initial_indent="   ", subsequent_indent="      ", break_long_words=False))

    def time_searches(self, *counts: int) -> searches.Searches:
        """Measure a search for the last image in tables of so many (10 to 100,000), and one whole run beside it."""
        return _shown(searches.time_searches(self._lesson.runtime, *counts))

    # --- m2_6: endings

    def make_odd_programs(self) -> endings.OddPrograms:
        """Write eight programs into one folder that end in eight ways; ``path("no-loader")`` is where one lies."""
        return _shown(endings.make_odd_programs(self._lesson))

    # --- m2_7: the tests

    def type_mdock(self, command: str, times: int = 1) -> list[int]:
        """Type ``mdock`` with these words in a terminal, or in so many at once; return the exit codes.

        Of one alone, what it says on stderr and its exit code are printed.
        """
        return typed.type_mdock(command, times)


def _shown(found: Found) -> Found:
    found.show()
    return found
