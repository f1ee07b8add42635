"""What lecturers type: ``udock-lab grade SUBMITTED`` and ``udock-lab collect SUBMITTED``."""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TextIO

from udock_lab.display.pages.classroom import Handed, points_of
from udock_lab.errors import Conflict, NotFound, UsageError
from udock_lab.grading.adjusting import Record, records, unknown_people
from udock_lab.grading.batch import Batch, course_near
from udock_lab.grading.classfiles import ClassFiles, by_learner, counting
from udock_lab.grading.cluster import LOCAL, grade_on_cluster
from udock_lab.grading.coursefile import course_file
from udock_lab.grading.courserules import Rules, read_rules
from udock_lab.grading.exports import write_export
from udock_lab.grading.marks import Result, marks_place, read_marks
from udock_lab.grading.roster import as_handed_in, read_roster, titles_in
from udock_lab.grading.sharding import shard_of
from udock_lab.grading.sources import named_course
from udock_lab.grading.submissions import Roots, Sent, a_file_name, class_of, find_submissions, ignored_in, roots_of
from udock_lab.grading.taken import exports_in, lessons_taken
from udock_lab.grading.tries import Tries
from udock_lab.text.nearest import nearest
from udock_lab.text.terminal import printable

__all__ = ["Progress", "collect", "grade"]

_INTERRUPTED = 128 + 2  # SIGINT
_LISTED = 10  # submissions that the summary names
_MOST_IGNORED = 1000  # files that are named


# --- udock-lab grade


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def grade(args: Namespace) -> int:
    """Judge all, write results, say what came of it. 130 after Ctrl-C, with how to go on."""
    jobs = _cores() if args.jobs is None else args.jobs
    if jobs < 1:
        raise UsageError(f"--jobs {jobs}: at least one is needed.", f"Here {_cores()} is a good number.")
    if args.cluster and args.shard:
        raise UsageError("--cluster and --shard are two ways to divide a class.", "Leave one of them out.")
    if args.cluster not in (None, LOCAL) and args.jobs is not None:
        raise UsageError("The cluster's workers say how many are judged at a time.", "Leave --jobs out.")
    course = named_course(args.course)
    folder, meant = class_of(Path(args.folder), course)
    if meant:
        _note(f"{args.folder} is what {meant} handed in: taken as  udock-lab grade {folder} --only {meant}")
    course = course or course_near(folder)
    out = _out(args, folder)
    roots = roots_of(folder, out)
    every = find_submissions(folder, course, roots)
    only = {a_file_name(name) for name in (*args.only, *filter(None, [meant]))}
    sent = _of(every, only)
    shard = shard_of(args.shard) if args.shard else None
    if shard:
        sent = shard.of(sent)
    batch = Batch(out=out, course=course, again=args.again)
    batch.tries = Tries(batch.out) if shard else None
    rules = read_rules(_rules_from(args, folder, course))
    files = _class_files(args, batch, roots, every, rules, only)
    _say_before(roots, every, files, args)
    if batch.course is None:
        _note("Hidden requirements are not judged: no course folder is here. Name it: --course DIR")
    progress, start = Progress(len(sent), sys.stderr), time.monotonic()
    results: list[Result] = []

    def heard(result: Result) -> None:
        results.append(result)
        progress.step(result)

    try:
        if args.cluster:
            grade_on_cluster(args.cluster, batch, sent, jobs, heard, _note)
        else:
            _grade_here(batch, sent, jobs, heard)
    except KeyboardInterrupt:
        progress.end()
        _note(f"Stopped. {progress.done} of {len(sent)} are graded and kept; the same command goes on from there.")
        if shard:
            return _INTERRUPTED
        files.write(*_with_kept(batch, every, results))
        _note(f"What there is so far: {batch.out / 'grades.csv'}")
        return _INTERRUPTED
    progress.end()
    seconds = time.monotonic() - start
    if shard:
        _say(f"Part {args.shard}: {len(results)} submissions in {seconds:.0f} s. Then: udock-lab collect {folder}")
        return 0
    whole, waiting = _with_kept(batch, every, results)
    files.write(whole, waiting)
    _sum_up(results, batch, seconds)
    _export(args, files, whole, rules)
    return 0


def _grade_here(batch: Batch, sent: Sequence[Sent], jobs: int, heard: Callable[[Result], object]) -> None:
    """Grade by threads. What was being judged when an earlier run was lost comes last, one at a time."""
    tried = {(one.learner, one.name): batch.tries.before(one) for one in sent} if batch.tries else {}
    batch.grade([one for one in sent if not tried.get((one.learner, one.name))], jobs, heard)
    suspects = [one for one in sent if tried.get((one.learner, one.name))]
    batch.grade(sorted(suspects, key=lambda one: tried[one.learner, one.name]), 1, heard)


# --- udock-lab collect


def collect(args: Namespace) -> int:
    """Make a class of what parts or workers have kept; 1 where something is not judged yet."""
    course = named_course(args.course)
    folder, _ = class_of(Path(args.folder), course)
    course = course or course_near(folder)
    out = _out(args, folder)
    roots = roots_of(folder, out)
    every = find_submissions(folder, course, roots)
    batch, start = Batch(out=out, course=course), time.monotonic()
    rules = read_rules(_rules_from(args, folder, course))
    files = _class_files(args, batch, roots, every, rules)
    _say_before(roots, every, files, args)
    results, waiting = _with_kept(batch, every, ())
    files.write(results, waiting)
    _sum_up(results, batch, time.monotonic() - start)
    _export(args, files, results, rules)
    for sent in waiting[:_LISTED]:
        _note(printable(f"not judged, or by other judges, or changed since: {sent.learner}  {sent.name}"))
    if waiting:
        _note(f"{len(waiting)} of {len(every)} are missing. Run their parts again, or: udock-lab grade {folder}")
    return 1 if waiting else 0


# --- --export


def _export(args: Namespace, files: ClassFiles, results: Sequence[Result], rules: Rules) -> None:
    """Write what is asked for, by the rules of ``course.toml``; say where it is, and whom the rules name in vain."""
    if not args.export:
        return
    of_each = by_learner(results)
    for line in unknown_people(rules, [*of_each, *files.persons.values()], files.roster):
        _note(printable(line))
    found = list(
        records(of_each, files.roster, files.persons, rules, lambda one: read_marks(marks_place(files.out, one)))
    )
    titles = _titles(args, found) | dict(rules.columns)
    for kind in dict.fromkeys(args.export):
        for path in write_export(kind, files.out, found, titles, requirements=args.requirements):
            _say(f"For import ({kind}): {path}")


def _titles(args: Namespace, found: Sequence[Record]) -> dict[str, str]:
    """Return the columns of a roster that are called as exercises are, as a platform's own gradebook has them."""
    heads = titles_in(Path(args.roster)) if args.roster else []
    slugs = {slug for one in found for slug in one.exercises}
    return {slug: head for slug in slugs for head in heads if head == slug or head.startswith(f"{slug} (")}


def _of(every: Sequence[Sent], only: AbstractSet[str]) -> Sequence[Sent]:
    """Return the submissions of these learners, of all where none is named; NotFound with the nearest name."""
    if not only:
        return every
    learners = {one.learner for one in every}
    for name in sorted(only - learners):
        near = nearest(name, learners)
        raise NotFound(
            f"{name} handed in nothing here.", f"Did you mean {near}?" if near else "Names are the folders'."
        )
    return [one for one in every if one.learner in only]


def _with_kept(batch: Batch, every: Sequence[Sent], results: Sequence[Result]) -> tuple[list[Result], list[Sent]]:
    """Add what earlier runs kept of those that were not graded now; and return which are not judged yet."""
    done = {(one.learner, one.name) for one in results}
    found, waiting = list(results), []
    for sent in every:
        if (sent.learner, sent.name) not in done:
            kept = batch.kept(sent)
            if kept is None:
                waiting.append(sent)
            else:
                found.append(kept)
    return found, waiting


def _rules_from(args: Namespace, folder: Path, course: Path | None) -> Path | None:
    """Return where ``course.toml`` is looked for: the named course, else beside the submissions, else the course."""
    beside = folder.resolve().parent
    return course if args.course or course_file(beside) is None else beside


def _class_files(
    args: Namespace,
    batch: Batch,
    roots: Roots,
    every: Sequence[Sent],
    rules: Rules,
    only: AbstractSet[str] = frozenset(),
) -> ClassFiles:
    roster = as_handed_in(read_roster(Path(args.roster)), every) if args.roster else {}
    taken = lessons_taken(folder for folder, _ in roots.folders)
    persons = {one.learner: one.person for one in every if one.person}
    return ClassFiles(
        batch.out, taken, roster, only, args.reports, persons, rules.file.path.parent if rules.file else None
    )


def _say_before(roots: Roots, every: Sequence[Sent], files: ClassFiles, args: Namespace) -> None:
    """Say which files are not taken, and who is not on the roster: nothing is left out without a word."""
    roster = [Path(args.roster).absolute()] if args.roster else []
    ignored = 0
    for name, why in _ignored(roots, every, roster):
        ignored += 1
        if ignored <= _MOST_IGNORED:
            _note(printable(f"ignored: {name}: {why}"))
    if ignored > _MOST_IGNORED:
        _note(f"ignored: {ignored - _MOST_IGNORED} more files")
    for learner in sorted({one.learner for one in every} - files.roster.keys()) if files.roster else ():
        _note(printable(f"not on the roster: {learner}"))


def _ignored(roots: Roots, every: Sequence[Sent], others: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Return what is not taken of each folder, a zip's by the zip's name."""
    yield from roots.left_out
    zips = {name for _, name in roots.folders} | {name for name, _ in roots.left_out}
    for folder, packed in roots.folders:
        for name, why in ignored_in(folder, every, [*exports_in(folder), *others]):
            if packed or name not in zips:
                yield f"{packed}: {name}" if packed else name, why


def _out(args: Namespace, folder: Path) -> Path:
    out = Path(args.out) if args.out else folder.resolve().parent / "graded"
    if out.exists() and not out.is_dir():
        raise Conflict(f"{out} is a file; results need a folder.", "Name another: --out DIR")
    if out.resolve() == folder.resolve():
        raise UsageError("Results and submissions would lie in one folder.", "Name another: --out DIR")
    return out


def _sum_up(results: Sequence[Result], batch: Batch, seconds: float) -> None:
    kept = sum(one.kept for one in results)
    before = f" ({kept} kept from before)" if kept else ""
    _say(f"{len(results)} submissions of {len({one.learner for one in results})} learners in {seconds:.0f} s{before}.")
    of_each: dict[str, list[Handed]] = {}
    for one in results:
        of_each.setdefault(one.handed.exercise, []).append(one.handed)
    for slug, own in sorted(of_each.items()):
        if slug:
            middle = statistics.median(one.points for one in own)
            _say(f"  {slug}: {len(own)}, median {points_of(middle, max(one.out_of for one in own))}")
    _say_several(results)
    _say_trouble(results)
    _say(f"The class at a glance: {batch.out / 'class.html'}")
    _say(f"Points: {batch.out / 'grades.csv'}   One line a learner: {batch.out / 'students.csv'}")
    _say(f"Reports: {batch.out}/<learner>/report.html")


def _say_several(results: Sequence[Result]) -> None:
    """Print which of several attempts counts; of many the first ones."""
    told = [
        f"  {one.learner}, {one.exercise}: {one.note}"
        for own in by_learner(results).values()
        for _, one in counting(own)
        if one.note
    ]
    for line in told[:_LISTED]:
        _say(line)
    if len(told) > _LISTED:
        _say(f"  and {len(told) - _LISTED} more of whom something was handed in twice; grades.csv names them")


def _say_trouble(results: Sequence[Result]) -> None:
    """Print what was not judged, or in part only; of many the first ones."""
    troubled = [
        one for one in sorted(results, key=lambda one: (one.learner, one.name)) if one.handed.why or one.handed.lost
    ]
    for one in troubled[:_LISTED]:
        _say(f"  {one}" if one.handed.why else f"  {one.learner}: {one.handed.trouble}")
    if len(troubled) > _LISTED:
        _say(f"  and {len(troubled) - _LISTED} more; class.html and grades.csv name them")


class Progress:
    """On a terminal a bar that stays on its line; elsewhere one plain line a submission."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self.total, self.stream, self.done = total, stream, 0
        self.terminal, self.start = stream.isatty(), time.monotonic()

    def step(self, result: Result) -> None:
        """Count one more that is graded."""
        self.done += 1
        if not self.terminal:
            self._write(f"{self.done} of {self.total}  {printable(str(result))}\n")
            return
        filled = 30 * self.done // self.total
        left = (time.monotonic() - self.start) / self.done * (self.total - self.done)
        bar = f"[{'#' * filled}{'.' * (30 - filled)}]"
        line = printable(f"{bar} {self.done} of {self.total}, {left:.0f} s left  {result.learner}")
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
