"""The course: which lessons there are, in which order, and the exercise that belongs to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from udock_lab.errors import UsageError
from udock_lab.text.nearest import nearest

__all__ = ["COURSE", "EXERCISES", "Entry", "after", "entry"]


Kind = Literal["page", "primer", "lesson"]  # only a lesson has a task, an exit ticket and a C twin


@dataclass(frozen=True, slots=True)
class Entry:
    """One lesson: ``notebooks/<slug>.ipynb``. ``exercise`` is the slug of what the learner builds; may be empty.

    ``minutes`` are counted by the rule of ``scripts/check_minutes.py``. ``kind`` says which shape its notebook has.
    ``predictions``: how many its notebook asks; it has been read only when so many were put to the learner.
    """

    slug: str
    title: str
    minutes: int
    exercise: str = ""
    kind: Kind = "lesson"
    predictions: int = 3

    @property
    def tasks(self) -> int:
        """How many times lines are to be put in order."""
        return 1 if self.kind == "lesson" else 0

    @property
    def questions(self) -> int:
        """How many questions its exit ticket has."""
        return 2 if self.kind == "lesson" else 0

    @property
    def short(self) -> str:
        """What a small box says of it: ``m2_1a``."""
        return "_".join(self.slug.split("_")[:2])

    @property
    def notebook(self) -> str:
        """The file's name."""
        return f"{self.slug}.ipynb"

    @property
    def exercise_notebooks(self) -> tuple[str, ...]:
        """Where its exercise may lie, from this lesson: beside it in a learner's folder, or in the repository."""
        file = f"{self.exercise}/{self.exercise}.ipynb"
        return (f"exercises/{file}", f"../exercises/release/{file}") if self.exercise else ()


COURSE = (
    Entry("00_start_here", "Start here", 15, kind="page", predictions=1),
    Entry("m2_0_primer", "Primer: how a program asks the kernel", 10, kind="primer", predictions=1),
    Entry("m2_1a_fork", "Fork: one process becomes two", 25, "m2_1_process_creation"),
    Entry(
        "m2_1b_exec_and_wait",
        "Exec and wait: how a process becomes a program",
        25,
        "m2_1_process_creation",
        predictions=2,
    ),
    Entry("m2_2_chroot_permissions", "Chroot: another root, and who may have it", 25, "m2_2_chroot_permissions"),
    Entry("m2_3_container_ids", "Ids: unique under any number of runs", 25, "m2_3_container_ids"),
    Entry("m2_4_metadata", "Metadata: records that a crash cannot tear", 25, "m2_4_metadata"),
    Entry("m2_5_image_lookup", "Image lookup: from a name to a root file system", 25, "m2_5_image_lookup"),
    Entry("m2_6_exec_failure", "When exec fails", 25, "m2_6_exec_failure"),
    Entry("m2_7_review", "Review: the whole of mdock run", 25, "m2_7_mdock_run"),
)
EXERCISES = tuple(dict.fromkeys(lesson.exercise for lesson in COURSE if lesson.exercise))


def entry(slug: str) -> Entry:
    """Return the lesson of that slug; raise UsageError, with the nearest one, where there is none."""
    for lesson in COURSE:
        if lesson.slug == slug:
            return lesson
    near = nearest(str(slug), [lesson.slug for lesson in COURSE])
    guess = f" Did you mean {near!r}?" if near else ""
    raise UsageError(
        f"There is no lesson {slug!r}.{guess}", f"The lessons are: {', '.join(lesson.slug for lesson in COURSE)}"
    )


def after(slug: str) -> Entry | None:
    """Return the lesson that comes next, None after the last one."""
    place = COURSE.index(entry(slug)) + 1
    return COURSE[place] if place < len(COURSE) else None
