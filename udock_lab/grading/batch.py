"""``udock-lab grade``: a folder of submissions judged side by side, without nbgrader's database.

::

    OUT/<learner>/<exercise>.json   one submission: points, every judgement, and what it was judged from
    OUT/<learner>/report.html       the same for the learner to read     (this and the rest: classfiles.py)
    OUT/class.html                  the class for the lecturer to read: who needs a look, what is failed most
    OUT/grades.csv                  the same, one line a submission

A result is written when it is whole, by rename. It bears the hash of the submission and of what judged it, and the
number of its schema (0.1.0 wrote none, which is 0, with the same fields as 1). A run that was killed goes on where it
was: what has not changed is not judged again, unless a later version wrote it. Threads are enough to keep all
processors busy, since each judgement happens in processes of its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import cache
from itertools import islice
from pathlib import Path

from udock_lab.errors import MdockError, UsageError
from udock_lab.grading.beside import modules_beside
from udock_lab.grading.graded import grade_notebook
from udock_lab.grading.handout import Handout, handout_in, read_notebook
from udock_lab.grading.marks import SCHEMA, Marks, Result, marks_of, marks_place, read_marks, result_of
from udock_lab.grading.sources import folder_of, hidden_folder, slugs
from udock_lab.grading.submissions import Sent, exercise_of
from udock_lab.grading.tries import MOST, Tries
from udock_lab.linux.wholefile import write_whole
from udock_lab.model.jsontext import to_json
from udock_lab.model.plain import stored
from udock_lab.model.value import replace

__all__ = ["Batch", "course_near", "keep"]

_AHEAD = 4  # submissions for each job that wait for it


def course_near(submitted: Path) -> Path | None:
    """Return the course folder that the submissions are in, or that of a checkout; None where there is none."""
    checkout = Path(__file__).resolve().parents[2] / "exercises"
    return next((place for place in (submitted.resolve().parent, checkout) if (place / "source").is_dir()), None)


@dataclasses.dataclass
class Batch:
    """One run of ``udock-lab grade``; ``course`` is the lecturer's folder (source/, instructor/), or None.

    ``tries``: where it is counted how often a judging did not come to its end. ``begun``, of a run with ``again`` that
    many processes share: when it began (seconds since the epoch); what was kept since then counts. ``versions``: of the
    judges that this process has loaded, slug to version; who makes several batches gives each the same one.
    """

    out: Path
    course: Path | None = None
    again: bool = False
    tries: Tries | None = None
    begun: float | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    stopping: threading.Event = dataclasses.field(default_factory=threading.Event)
    _exercises: dict[str, tuple[Handout, str]] = dataclasses.field(default_factory=dict)

    def grade(self, sent: Iterable[Sent], jobs: int, tell: Callable[[Result], object]) -> list[Result]:
        """Grade all of them, ``jobs`` at a time; ``tell`` hears of each.

        KeyboardInterrupt is handed on at once. What is being judged then ends with this process, whose exit is all
        that its keeper waits for.
        """
        self.check_out()
        results = []
        waiting = iter(sent)
        pool = ThreadPoolExecutor(jobs)
        futures: set[Future[Result]] = set()
        try:
            while True:
                futures |= {pool.submit(self.one, one) for one in islice(waiting, jobs * _AHEAD - len(futures))}
                if not futures:
                    break
                done, futures = wait(futures, return_when=FIRST_COMPLETED)
                for future in done:
                    results.append(future.result())
                    tell(results[-1])
        except BaseException:
            self.stopping.set()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return results

    @contextmanager
    def _tried(self, sent: Sent) -> Iterator[None]:
        """Count a try; MdockError for a submission that has ended too many of those who judged it."""
        if self.tries is None:
            yield
            return
        if self._counts and self.tries.before(sent) >= MOST:
            raise MdockError(
                f"{sent.notebook} was tried {MOST} times, and each time the process that judged it was lost.",
                f"Look at it, then: udock-lab grade SUBMITTED --only {sent.learner} --again",
            )
        self.tries.begin(sent)
        try:
            yield
        finally:
            self.tries.end(sent)

    def check_out(self) -> None:
        """Raise MdockError where no result can be written: else that would be known after the first one only."""
        if self.out.is_dir() and not os.access(self.out, os.W_OK):
            raise _not_written(self.out, "this account may not, or the file system is read-only")

    def place(self, sent: Sent) -> Path:
        """Return where the result of a submission is kept."""
        return marks_place(self.out, sent)

    def one(self, sent: Sent) -> Result:
        """Judge one submission, unless what is kept is from the same notebook and the same judges."""
        made_from: dict[str, str] = {}
        try:
            if sent.linked:
                raise UsageError(f"{sent.notebook} is a link, perhaps to somebody else's file.", "Ask for the file.")
            content, modules, notes = _content(sent)
            made_from["submission"] = _digest(content, modules)
            slug = exercise_of(sent, content, self.course)
            handout, made_from["version"] = self._judged_by(slug)
            kept = read_marks(self.place(sent)) if self._counts and self._is_of_now(sent) else None
            if kept and kept.finished and kept.made_from == made_from:
                return result_of(sent, kept, kept=True)
            with self._tried(sent):
                graded = grade_notebook(
                    content, sent.notebook, handout, self._instructor(), self.course, notes, modules
                )
            marks = marks_of(sent, slug, graded, made_from)
        except Exception as error:  # whatever one submission provokes, the others are graded
            marks = replace(self._lost(sent), error=_words(error), made_from=made_from)
        self.keep(sent, marks)
        return result_of(sent, marks)

    def keep(self, sent: Sent, marks: Marks) -> None:
        """Write what became of a submission, unless somebody has stopped all this."""
        if not self.stopping.is_set():
            keep(self.place(sent), to_json(stored(marks, SCHEMA), indented=True))

    def kept(self, sent: Sent) -> Result | None:
        """Return what an earlier run made of the same notebook, with the same judges; None where there is nothing."""
        marks = read_marks(self.place(sent))
        if marks is None:
            return None
        try:
            content, modules, _ = (b"", {}, []) if sent.linked else _content(sent)
            version = self._judged_by(exercise_of(sent, content, self.course))[1]
        except (MdockError, ImportError):  # what cannot be read, or answers nothing, was not judged then either
            return result_of(sent, marks, kept=True) if marks.error else None
        now = {"submission": _digest(content, modules), "version": version}
        same = all(now[name] == value for name, value in marks.made_from.items())
        return result_of(sent, marks, kept=True) if same else None

    @property
    def _counts(self) -> bool:
        """What is kept counts, all of it or some."""
        return not self.again or self.begun is not None

    def _is_of_now(self, sent: Sent) -> bool:
        """Return whether what is kept was written since this run began; true where that does not matter."""
        try:
            return self.begun is None or self.place(sent).stat().st_mtime >= self.begun
        except OSError:
            return False

    def judges_of(self, sent: Sent) -> tuple[str, str]:
        """Return which exercise it answers and the judges' version; twice "" where that cannot be said."""
        try:
            content = b"" if sent.linked else read_notebook(sent.path)
            slug = exercise_of(sent, content, self.course)
            return slug, self._judged_by(slug)[1]
        except Exception:  # what is wrong is told when it is judged
            return "", ""

    def all_versions(self) -> dict[str, str]:
        """Return slug to the judges' version of each exercise that can be judged here."""
        for slug in slugs(self.course):
            with suppress(Exception):
                self._judged_by(slug)
        return dict(self.versions)

    def _lost(self, sent: Sent) -> Marks:
        """Give no points, of as many as there would have been as far as its name says."""
        try:
            slug = exercise_of(sent, b"", self.course)
            out_of = sum((check.points for check in self._judged_by(slug)[0].checks), 0.0)
        except (MdockError, ImportError):
            slug, out_of = "", 0.0
        return Marks(learner=sent.learner, exercise=slug, notebook=sent.notebook, out_of=out_of)

    def _instructor(self) -> Path | None:
        return self.course / "instructor" if self.course else None

    def _judged_by(self, slug: str) -> tuple[Handout, str]:
        """Return what was handed out, and the judges' version: read once for a whole class."""
        if slug not in self._exercises:
            handout = handout_in(self.course, slug)
            self._exercises[slug] = handout, self.versions.setdefault(slug, self._version(slug, handout))
        return self._exercises[slug]

    def _version(self, slug: str, handout: Handout) -> str:
        """Return a text that changes with whatever could change the points."""
        judges = [
            _package(),
            _code(folder_of(slug, self.course)),
            _code(hidden_folder(slug, self._instructor(), self.course)),
        ]
        handed_out = [handout.checks, sorted(handout.given.items()), sorted(handout.solutions)]
        return _hash(repr([judges, handed_out, sys.version_info]).encode())


@cache
def _package() -> str:
    """Return a hash of this whole package: what judges, and all that it stands on."""
    return _code(Path(__file__).parents[1])


def _code(folder: Path | None) -> str:
    """Return a hash of a folder's Python files, names and contents; empty for none."""
    files = sorted(folder.glob("**/*.py")) if folder else []
    return _hash(repr([(str(path.relative_to(folder or "")), _hash(path.read_bytes())) for path in files]).encode())


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, MdockError) else f"The check broke off: {type(error).__name__}: {error}"


def _content(sent: Sent) -> tuple[bytes, dict[str, str], list[str]]:
    """Return a notebook's bytes, the modules that it needs of those beside it, and what is to be said of these."""
    content = read_notebook(sent.path)
    return (content, *modules_beside(content, sent.beside))


def _digest(content: bytes, modules: Mapping[str, str]) -> str:
    return _hash(content + repr(sorted(modules.items())).encode() if modules else content)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def keep(path: Path, content: bytes) -> None:
    """Write one file; raise MdockError where nothing can be written.

    That ends a whole class, and what has been written stays.
    """
    try:
        write_whole(path, content)
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from None


def _not_written(path: Path, why: str) -> MdockError:
    return MdockError(
        f"{path} cannot be written: {why}. What is graded so far is kept.",
        "Make room, or give the folder to this account; the same command goes on from there.",
    )
