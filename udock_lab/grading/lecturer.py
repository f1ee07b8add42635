"""What lecturers type: ``udock-lab course DIR`` and ``udock-lab grade SUBMITTED_DIR``."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from udock_lab.display.text.checks import points
from udock_lab.errors import Conflict, NotFound, UsageError
from udock_lab.grading.batch import Batch, Grade, course_near, find_submissions
from udock_lab.grading.taken import lessons_taken
from udock_lab.text.terminal import printable

__all__ = ["Progress", "course", "grade"]

REPOSITORY_PARTS = ("source", "release", "instructor")
_OURS = Path(__file__).resolve().parents[2] / "exercises"  # of a checkout
_INTERRUPTED = 128 + 2  # SIGINT
_LISTED = 10  # submissions that the summary names


# --- udock-lab course


def course(args: Namespace) -> int:
    """Copy the course folder of this checkout: sources, releases, hidden requirements, nbgrader's settings.

    Solutions and hidden requirements are in the repository only; an installed package does not have them.
    """
    target, ours = Path(args.folder), _OURS
    if not (ours / "source").is_dir() or not (ours / "instructor").is_dir():
        raise NotFound(
            "This is the learners' installation: it has no solutions and no hidden requirements.",
            "Lecturers work from a clone of the repository: run `make course` in it.",
        )
    if target.is_dir() and any(target.iterdir()):
        raise Conflict(f"{target} is not empty.", "Name a new folder: udock-lab course DIR")
    if target.exists() and not target.is_dir():
        raise Conflict(f"{target} is a file.", "Name a new folder: udock-lab course DIR")
    leave_out = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for part in REPOSITORY_PARTS:
        shutil.copytree(ours / part, target / part, ignore=leave_out)
    for name in ("nbgrader_config.py", "README.md", ".gitignore"):
        shutil.copy(ours / name, target / name)
    (target / "submitted").mkdir()
    _say(f"The course is in {target}: source, release, instructor, nbgrader_config.py, README.md.")
    _say(f"Hand out the notebooks of {target}/release; put what comes back into {target}/submitted. Then grade:")
    _say(f"  udock-lab grade {target}/submitted")
    _say("or with nbgrader, which has to know an exercise before it grades it:")
    _say(f"  cd {target}; nbgrader generate_assignment --force EXERCISE; nbgrader autograde EXERCISE")
    return 0


# --- udock-lab grade


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def grade(args: Namespace) -> int:
    """Judge all, write results, say what came of it. 130 after Ctrl-C, with how to go on."""
    jobs = _cores() if args.jobs is None else args.jobs
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: at least one is needed.", f"Here {_cores()} is a good number.")
    folder = Path(args.folder)
    sent = find_submissions(folder)
    batch = Batch(out=_out(args, folder), course=_course(args, folder), again=args.again, lessons=lessons_taken(folder))
    if batch.course is None:
        _note("Hidden requirements are not judged: no course folder is here. Name it: --course DIR")
    progress, start = Progress(len(sent), sys.stderr), time.monotonic()
    try:
        grades = batch.grade(sent, jobs, progress.step)
    except KeyboardInterrupt:
        progress.end()
        _note(f"Stopped. {progress.done} of {len(sent)} are graded and kept; the same command goes on from there.")
        return _INTERRUPTED
    progress.end()
    _sum_up(grades, batch, time.monotonic() - start)
    return 0


def _out(args: Namespace, folder: Path) -> Path:
    out = Path(args.out) if args.out else folder.resolve().parent / "graded"
    if out.exists() and not out.is_dir():
        raise Conflict(f"{out} is a file; results need a folder.", "Name another: --out DIR")
    if out.resolve() == folder.resolve():
        raise UsageError("Results and submissions would lie in one folder.", "Name another: --out DIR")
    return out


def _course(args: Namespace, folder: Path) -> Path | None:
    if args.course is None:
        return course_near(folder)
    place = Path(args.course)
    if not (place / "source").is_dir():
        raise NotFound(f"{place} is no course folder: it has no source/.", "Make one: udock-lab course DIR")
    return place


def _sum_up(grades: Sequence[Grade], batch: Batch, seconds: float) -> None:
    kept = sum(grade.kept for grade in grades)
    before = f" ({kept} kept from before)" if kept else ""
    _say(f"{len(grades)} submissions of {len({g.sent.learner for g in grades})} learners in {seconds:.0f} s{before}.")
    for slug in sorted({grade.marks.exercise for grade in grades if grade.marks.exercise}):
        own = [grade.marks for grade in grades if grade.marks.exercise == slug]
        middle = points(statistics.median(marks.points for marks in own))
        _say(f"  {slug}: {len(own)}, median {middle} of {points(max(marks.out_of for marks in own))}")
    _say_trouble(grades)
    _say(f"The class at a glance: {batch.out / 'class.html'}")
    _say(f"Points: {batch.out / 'grades.csv'}   Reports: {batch.out}/<learner>/report.html")


def _say_trouble(grades: Sequence[Grade]) -> None:
    """Print what was not judged, or in part only; of many the first ones."""
    said = []
    for grade in grades:
        if grade.marks.error:
            said.append(f"  {grade}")
        elif grade.marks.not_judged_here:
            lost = points(grade.marks.not_judged_here)
            said.append(
                f"  {grade.sent.learner}: {lost} points could not be judged on this machine; the report says why"
            )
    for line in said[:_LISTED]:
        _say(line)
    if len(said) > _LISTED:
        _say(f"  and {len(said) - _LISTED} more; class.html names them all")


class Progress:
    """On a terminal a bar that stays on its line; elsewhere one plain line a submission."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self.total, self.stream, self.done = total, stream, 0
        self.terminal, self.start = stream.isatty(), time.monotonic()

    def step(self, grade: Grade) -> None:
        """Count one more that is graded."""
        self.done += 1
        if not self.terminal:
            self._write(f"{self.done} of {self.total}  {printable(str(grade))}\n")
            return
        filled = 30 * self.done // self.total
        left = (time.monotonic() - self.start) / self.done * (self.total - self.done)
        bar = f"[{'#' * filled}{'.' * (30 - filled)}]"
        line = printable(f"{bar} {self.done} of {self.total}, {left:.0f} s left  {grade.sent.learner}")
        self._write(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}")

    def end(self) -> None:
        """Leave the bar's line."""
        if self.terminal and self.done:
            self._write("\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _say(text: str) -> None:
    print(printable(text), flush=True)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
