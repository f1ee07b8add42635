"""``lesson.terminal_task``: something to do in JupyterLab's own terminal, done when the home's records say so.

The line to paste reads a small file (``.``, in sh(1)) that names the lesson's home and finds this installation's mdock:
so the line is short, the same for everybody, and tells nothing of the machine. A second kernel on the same lesson has a
file of its own, with a number. What happened is read from the records and from ``log.txt``, by the panel while it is
seen and by text each time it is shown.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from udock_lab.errors import MdockError, UsageError
from udock_lab.lesson.showing import Shown, live
from udock_lab.linux.wholefile import write_whole
from udock_lab.model import CardLines, CardText, Container, LessonCard
from udock_lab.runtime.state.home import Home

if TYPE_CHECKING:
    from udock_lab.lesson.session import Lesson

__all__ = ["TerminalTask", "way_in"]

GOALS: dict[str, str] = {
    "started": "Start a container from a terminal.",
    "stopped": "Stop a container from a second terminal.",
}
OPEN = "Open JupyterLab's terminal (File, New, Terminal), paste this line and press Enter:"
SECOND = "Open a second terminal, paste this line and press Enter. Then type mdock stop {}:"
LEAVE = " To leave its shell, type exit there, or press Ctrl-D in an empty line."


def way_in(learner: str, slug: str, home: str) -> str:
    """Write the file that a terminal reads to be in the lesson's home; return its path, in the learner's home.

    It says no where the lesson's home is gone, so that nobody works in a home that no notebook looks at. Who has no
    home that can be written to gets it beside the lesson's.
    """
    try:
        own = Home(learner)
        own.create()
        folder = own.run_dir
    except MdockError:
        folder = os.path.dirname(home)
    programs = os.path.dirname(sys.executable)
    said = "echo 'This lesson has ended: run its first cell again, and the cell of this task.'; false"
    lines = (
        f"if test -d {shlex.quote(home)}; then",
        f'  export MDOCK_HOME={shlex.quote(home)} PATH={shlex.quote(programs)}:"$PATH"',
        f"else {said}; fi",
    )
    text = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    with _one_at_a_time(folder):
        path = next(path for path in _names(folder, slug) if _is_free(path, home))
        write_whole(path, text)
    return str(path)


@contextmanager
def _one_at_a_time(folder: str) -> Iterator[None]:
    """Hold a lock beside the files: two kernels at once must not find the same name free."""
    fd = os.open(f"{folder}/terminals.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _names(folder: str, slug: str) -> Iterator[Path]:
    yield Path(folder, f"{slug}.terminal")
    yield from (Path(folder, f"{slug}-{number}.terminal") for number in count(2))


def _is_free(path: Path, home: str) -> bool:
    """Return whether no other kernel uses the file: it is not there, or leads to this home or one that is gone."""
    try:
        words = shlex.split(path.read_text(encoding="utf-8", errors="surrogateescape").partition(";")[0])
    except (OSError, ValueError):
        return True
    return not words or words[-1] == home or not os.path.isdir(words[-1])


def _from_home(path: str) -> str:
    """Return the path for a shell's line, below ``~`` where it lies there."""
    home = os.path.expanduser("~").rstrip("/")
    return f"~/{shlex.quote(path[len(home) + 1 :])}" if home and path.startswith(f"{home}/") else shlex.quote(path)


class TerminalTask(Shown):
    """The task. ``done`` is settled by :meth:`look` and stays so; ``seen`` is the container that it is about."""

    def __init__(self, lesson: Lesson, name: str, until: str) -> None:
        if until not in GOALS:
            raise UsageError(f"No task is over when something is {until!r}.", f"There are: {', '.join(GOALS)}")
        self.name, self.until, self.goal = name, until, GOALS[until]
        self.first_step = OPEN
        self._lesson = lesson
        self._before = {container.id for container in lesson.runtime.ps()}
        self._terminals: dict[str, bool] = {}  # of each container since, whether it has a terminal
        self._file = way_in(lesson.learner, lesson.slug, lesson.home)
        self.read_file = _from_home(self._file)
        self.seen: Container | None = None
        self.done = self.over = False
        self._panel: Any = None

    @property
    def first_line(self) -> str:
        """What is pasted into the first terminal."""
        return f". {self.read_file} && mdock run -it demo"

    @property
    def second_line(self) -> str:
        """What is pasted into the second one; empty where none is needed."""
        return f". {self.read_file}" if self.until == "stopped" else ""

    @property
    def second_step(self) -> str:
        """What to do in the second terminal."""
        return SECOND.format(self.seen.id if self.seen is not None else "and the container's id, which mdock ps tells")

    def take_away(self) -> None:
        """Remove the file that the terminal read: the lesson is over. Another notebook's is left alone."""
        with suppress(OSError):
            if shlex.quote(self._lesson.home) in Path(self._file).read_text(encoding="utf-8", errors="surrogateescape"):
                os.unlink(self._file)

    def look(self) -> None:
        """Read the records and the log, unless there is nothing more to find out."""
        if self.done or self.over:
            return
        try:
            ours = [c for c in self._lesson.runtime.ps() if c.id not in self._before and self._has_terminal(c)]
            stopped = self._stopped()
        except (MdockError, OSError):  # the lesson has ended meanwhile, and its home is gone
            self.over = not os.path.isdir(self._lesson.home)
            return
        ended = [c for c in ours if c.id in stopped and not c.alive and c.record.exit_code is not None]
        running = [c for c in ours if c.alive]
        self.done = bool(ended if self.until == "stopped" else ours)
        choice = ended or running or ours if self.until == "stopped" else ours
        self.seen = choice[-1] if choice else None

    def _has_terminal(self, container: Container) -> bool:
        if container.id not in self._terminals:
            config: Any = self._lesson.runtime.inspect(container.id).data.get("Config")
            self._terminals[container.id] = bool(config and config.get("Tty"))
        return self._terminals[container.id]

    def _stopped(self) -> set[str]:
        """Return the ids that somebody asked to stop, as the log tells."""
        with (
            suppress(FileNotFoundError),
            open(f"{self._lesson.home}/log.txt", encoding="utf-8", errors="replace") as log,
        ):
            return set(re.findall(r"^\[[^\]\n]+\] (?:STOP|KILL) id=(c\d+)", log.read(), re.MULTILINE))
        return set()

    @property
    def state(self) -> str:
        """One sentence: what is waited for, or what was done."""
        one = self.seen
        if self.over:
            return "The lesson has ended. Run its first cell again, and this one."
        if self.done and one is not None:
            return self._how_it_went(one)
        if one is None:
            return "Waiting: no container has come from a terminal yet."
        if one.alive:
            return f"Waiting: {one.id} runs in your terminal, and nobody has stopped it yet."
        return f"Waiting: {one.id} ended by itself ({one.state}). Start another one: the line in step 1, again."

    def _how_it_went(self, one: Container) -> str:
        if self.until == "started":
            done = (
                f"Done: {one.id} was started from a terminal, in the home of this notebook: one list of ids for both."
            )
            return done + (LEAVE if one.alive else "")
        ending = (
            f"Done: {one.id} was stopped. Its record says {one.record.status.value}, exit code {one.record.exit_code}."
        )
        ignored = " An interactive shell ignores SIGTERM, so SIGKILL came when the 5 s were over."
        return ending + (ignored if one.record.status.value == "killed" else "")

    def card(self) -> LessonCard:
        self.look()
        parts: list[CardText | CardLines] = [
            CardText(text=f"1. {self.first_step}"),
            CardLines(title="the line to paste", lines=(self.first_line,)),
        ]
        if self.second_line:
            lines = (self.second_line,)
            parts += [CardText(text=f"2. {self.second_step}"), CardLines(title="the line to paste", lines=lines)]
        parts.append(CardText(text=self.state, kind="" if self.done else "note"))
        if not self.done:
            parts.append(CardText(text="To look again, run this cell again.", kind="hint"))
        return LessonCard(
            label="in a terminal", headline=self.goal, mood="good" if self.done else "", parts=tuple(parts)
        )

    def _view(self) -> dict[str, Any]:
        """Return the panel, which looks by itself, where one can be shown."""
        self._panel, view = live("terminal_panel", self, panel=self._panel)
        return view
