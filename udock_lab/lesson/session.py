"""``begin`` and ``end``: the frame of a lesson.

>>> lesson = begin("m2_1a_fork")   # doctest: +SKIP
>>> lesson.runtime.run("demo", ["/bin/true"]).id   # doctest: +SKIP
'c1'
>>> lesson.end()   # doctest: +SKIP
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from functools import cached_property
from pathlib import Path
from textwrap import fill
from typing import Any

from udock_lab.display.folding import fold_cards
from udock_lab.display.markup import there
from udock_lab.errors import UsageError
from udock_lab.lesson import outline
from udock_lab.lesson.experiments import Experiments
from udock_lab.lesson.keeping import Brought, Exported, export_from, import_into, kept_here, passing
from udock_lab.lesson.ledger import Data, Ledger, facts_in, facts_of, ledger_in
from udock_lab.lesson.scratch import Scratch, learner_home
from udock_lab.lesson.showing import Shown
from udock_lab.lesson.standing import ASKED, STATES, asked_in, is_whole, standing
from udock_lab.lesson.strip import LiveCard, strip
from udock_lab.lesson.terminals import TerminalTask
from udock_lab.linux.process import descendants, state
from udock_lab.model import CardText, Container, DoctorReport, LessonCard
from udock_lab.runtime.engine import Runtime
from udock_lab.runtime.kept import use_runtime
from udock_lab.text.nearest import nearest
from udock_lab.text.terminal import CELL_WIDTH

__all__ = ["End", "Lesson", "begin", "current", "keep_score", "ledger"]

PATIENCE = 2.0  # seconds for what was told to end to have ended

_current: Lesson | None = None


def begin(slug: str, *, spare: bool = False) -> Lesson:
    """Start a lesson in a scratch home of its own, where ids begin at c1 and the image ``demo`` is there.

    ``$MDOCK_HOME`` names that home until :meth:`Lesson.end`, so ``%mdock`` works in it too; answers and progress go to
    the learner's own. Prints one line on what this machine permits, and shows how far the learner is. Called again it
    clears what the earlier call made and starts afresh; locked answers stay locked. ``spare=True`` keeps a child forked
    in advance, as mdock does outside lessons; without it the fork stands inside each run's timeline.
    UsageError, with the nearest one, for a slug that no lesson has.
    """
    global _current
    lesson_of = outline.entry(slug)
    if _current is not None:
        _current._close()
    _current = Lesson(lesson_of, spare=spare)
    _current._move_in()
    fold_cards(folded=lesson_of.kind == "page")  # who runs a first container sees its result first
    use_runtime(_current.runtime)  # for %mdock, too: what a lesson set for it (no spare) holds for both
    print(fill(_current.permission_line, CELL_WIDTH))
    for line in kept_here(_current.place, first=lesson_of is outline.COURSE[0]):
        print(line)
    _current.show_strip()
    return _current


def current() -> Lesson | None:
    """Return the lesson that was begun and has not ended."""
    return _current


def ledger() -> Ledger:
    """Return the learner's own progress, inside a lesson and outside."""
    return ledger_in(_current.learner if _current is not None else learner_home())


def keep_score(exercise: str, score: float, most: float, answer: str) -> tuple[list[float], float]:
    """Put the score of an answer into the learner's progress; return the scores of all tries, and the best.

    Whoever has no home folder still gets the score, and a note.
    """
    try:
        return ledger().put_score(exercise, score, most, answer)
    except UsageError as error:
        sys.stderr.write("".join(f"[mdock] {line}\n" for line in f"Your score is not kept. {error}".splitlines()))
        return [score], score


class Lesson(Experiments, Shown):
    """A lesson in progress: its runtime and home, and what this machine permits.

    ``predictions``, ``orders`` and ``tickets`` hold what its cells asked so far, by name. ``learner`` is the learner's
    own home, found once: whatever a cell does to ``$HOME`` or the working directory, answers stay in one place.
    """

    def __init__(self, lesson: outline.Entry, *, spare: bool) -> None:
        self.entry = lesson
        self.slug, self.title, self.minutes = lesson.slug, lesson.title, lesson.minutes
        self.predictions: dict[str, Any] = {}
        self.orders: dict[str, Any] = {}
        self.tickets: dict[str, Any] = {}
        self.terminal_tasks: dict[str, TerminalTask] = {}
        self._before = set(descendants(os.getpid()))
        self._asked: dict[str, list[str]] = {kind: [] for kind in ASKED}
        self._strip = LiveCard()
        self.learner = learner_home()
        self.place = Path.cwd()  # where its notebook lies
        self._scratch = Scratch(lesson.slug, self.learner, spare=spare)
        self._named_before: str | None = None
        self._end: End | None = None
        atexit.register(self._close)
        self._scratch.runtime.demo()

    # --- how far the learner is

    def show_strip(self) -> None:
        """Show the strip of this lesson, and have it follow what is answered."""
        ledger_in(self.learner).listeners[:] = [self._draw_strip]
        self._draw_strip()

    def _draw_strip(self) -> None:
        self._strip.show(strip(self.entry, ledger_in(self.learner).read()))

    def note_asked(self, kind: str, *names: str) -> None:
        """Note what was put to the learner: ``predictions`` (settled), ``orders`` or questions of the ``ticket``."""
        self._asked[kind] += [name for name in names if name not in self._asked[kind]]
        own = ledger_in(self.learner)
        known = asked_in(facts_of(own.read()["lessons"], self.slug)) or {}
        if not {*names} <= {*known.get(kind, ())}:
            own.change(self._put_asked)

    def _put_asked(self, data: Data) -> None:
        """Put what was asked into the ledger; what an older version of the lesson asked goes once all was asked."""
        facts = facts_in(data["lessons"], self.slug)
        known = asked_in(facts) or {}
        if is_whole(self.entry, self._asked):
            known = {}
        facts["asked"] = {
            kind: [*known.get(kind, ()), *(name for name in names if name not in known.get(kind, ()))]
            for kind, names in self._asked.items()
        }

    def export(self) -> Exported:
        """Pack your work into one file, and show a link to it; ``import_`` brings it back, here or elsewhere."""
        return export_from(self.place, self.learner)

    def import_(self, file: str = "") -> Brought:
        """Bring back what an export holds: that file, or those that lie in the course's folder."""
        return import_into(self.place, self.learner, file)

    def terminal_task(self, name: str, *, until: str) -> TerminalTask:
        """Ask for something in JupyterLab's own terminal, and watch the records until it is ``started`` or ``stopped``.

        A cell that runs again looks again at the same task.
        """
        if name not in self.terminal_tasks:
            self.terminal_tasks[name] = TerminalTask(self, name, until)
        task = self.terminal_tasks[name]
        task.show()
        return task

    # --- what this machine permits

    @cached_property
    def doctor(self) -> DoctorReport:
        """The report of ``%mdock doctor``, tried once for the lesson."""
        return self._scratch.runtime.doctor()

    @property
    def permission_line(self) -> str:
        """One line: the rung of this machine, and where to see more."""
        machine = f"rung {self.doctor.rung}, {self.doctor.summary}"
        return f"This machine: {machine} %mdock doctor shows each feature."

    def permits(self, feature: str) -> bool:
        """Return whether a feature of ``%mdock doctor`` works here: ``chroot``, ``user namespace``, ``strace``, ..."""
        works = {found.name: found.works for found in self.doctor.features}
        if feature not in works:
            near = nearest(feature, works)
            guess = f" Did you mean {near!r}?" if near else ""
            raise UsageError(f"The doctor knows no feature {feature!r}.{guess}", f"It knows: {', '.join(works)}")
        return works[feature]

    @property
    def rung(self) -> str:
        """A (everything) to E (nothing)."""
        return self.doctor.rung

    @property
    def chroot(self) -> bool:
        """Return whether chroot works as this user."""
        return self.permits("chroot")

    @property
    def userns(self) -> bool:
        """Return whether user namespaces work, and chroot in them: ``%mdock run --userns``."""
        return self.permits("user namespace")

    @property
    def strace(self) -> bool:
        """Return whether strace is there and may trace: ``%%sandbox --trace`` shows calls."""
        return self.permits("strace")

    # --- its place

    @property
    def home(self) -> str:
        """The scratch home's path."""
        return self._scratch.home

    @property
    def runtime(self) -> Runtime:
        """A runtime in the scratch home. UsageError once the lesson has ended."""
        if self._end is not None:
            raise UsageError(
                f"The lesson {self.slug} has ended, and its home is gone.", "Run its first cell again to go on."
            )
        return self._scratch.runtime

    def card(self) -> LessonCard:
        return LessonCard(label="lesson", headline=f"{self.title} ({self.minutes} minutes)", parts=())

    def _move_in(self) -> None:
        self._named_before = os.environ.get("MDOCK_HOME")
        os.environ["MDOCK_HOME"] = self.home

    def _move_out(self) -> None:
        """Put the variable back as it was; a home that the learner chose meanwhile is left alone."""
        if os.environ.get("MDOCK_HOME") != self.home:
            return
        if self._named_before is None:
            del os.environ["MDOCK_HOME"]
        else:
            os.environ["MDOCK_HOME"] = self._named_before

    # --- its end

    def end(self) -> End:
        """Check what is left running, end it, remove the scratch home, and note that the last cell ran.

        Shows what it found, the lesson that comes next and the exercise that belongs to this one.
        """
        if self._end is None:
            found = self._scratch.stop_all()
            self._close()
            self._end = End(self, found, _processes_but(self._before), gone=not os.path.lexists(self._scratch.folder))
            ledger_in(self.learner).change(self._mark_ended)
        self._end.show()
        return self._end

    def _close(self) -> None:
        """Give everything back; safe to call again, and the last thing this process does if nobody called end."""
        global _current
        for task in self.terminal_tasks.values():
            task.take_away()
        self._scratch.remove()
        self._scratch.runtime.close()
        atexit.unregister(self._close)
        if _current is self:
            _current = None
            fold_cards(folded=False)
            self._move_out()

    def _mark_ended(self, data: Data) -> None:
        facts_in(data["lessons"], self.slug)["done"] = True
        self._put_asked(data)


def _processes_but(before: set[int]) -> list[int]:
    """List the processes that run below this one and did not before the lesson; what is ending gets a moment."""
    deadline = time.monotonic() + PATIENCE
    while True:
        left = [pid for pid in descendants(os.getpid()) if pid not in before and state(pid) not in (None, "Z", "X")]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.02)


class End(Shown):
    """What a lesson left, and where to go from here."""

    def __init__(self, lesson: Lesson, found: list[Container], processes: list[int], *, gone: bool) -> None:
        self.lesson = lesson
        self.containers = [container.id for container in found]
        self.processes = processes
        self.clean = gone and not processes
        self._commands = [f"{container.id} ({container.command})" for container in found]
        self._gone = gone

    def card(self) -> LessonCard:
        files = "none" if self._gone else "some of the scratch home could not be removed"
        count = len(self.processes)
        left = f"left running: 0 containers, {count} process{'' if count == 1 else 'es'} · files: {files}"
        parts = [CardText(text=left)]
        if self._commands:
            them = ", ".join(self._commands)
            parts.insert(0, CardText(text=f"Still running, and ended for you: {them}.", kind="note"))
        if self.processes:
            pids = ", ".join(map(str, self.processes))
            parts.append(CardText(text=f"A cell started what still runs. Restart the kernel to end it (pid {pids})."))
        if answers := self._answers():
            parts.append(CardText(text=answers))
        parts += self._next()
        stands = standing(self.lesson.entry, ledger_in(self.lesson.learner).read())
        if passing():
            parts.append(CardText(text=f"{passing()} keeps nothing. To keep your work: `lesson.export()`", kind="hint"))
        headline = f"The lesson {self.lesson.slug} is {stands.state}."
        left = " and ".join(stands.open_ones)
        if stands.state not in STATES[2:]:
            headline, left = f"The lesson {self.lesson.slug} has ended.", "some of its questions were not put yet"
        if left and stands.state != "done":
            parts.append(CardText(text=f"Still open: {left}.", kind="note"))
        mood = "good" if stands.state == "done" else "some"
        return LessonCard(label="end of the lesson", headline=headline, mood=mood, parts=tuple(parts))

    def _answers(self) -> str:
        asked = list(self.lesson.predictions.values())
        if not asked:
            return ""
        stored = facts_of(ledger_in(self.lesson.learner).read()["predictions"], self.lesson.slug)
        right = sum(p.right or facts_of(stored, p.name).get("verdict") == "right" for p in asked)
        answered = sum(bool(prediction.locked) for prediction in asked)
        return f"predictions: {answered} of {len(asked)} answered, {right} right"

    def _next(self) -> list[CardText]:
        found = outline.after(self.lesson.slug)
        parts = [CardText(text="This was the last lesson.")]
        if found:
            said = f"next lesson: {found.notebook} · {found.title} ({found.minutes} minutes)"
            parts = [CardText(text=said, leads_to=there(found.notebook))]
        entry = self.lesson.entry
        if entry.exercise:
            said = f"build it yourself: exercise {entry.exercise}"
            parts.append(CardText(text=said, leads_to=there(*entry.exercise_notebooks)))
        return parts
