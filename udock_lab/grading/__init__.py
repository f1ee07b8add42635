"""Exercises judged by what the kernel saw.

::

    cells.py        check(...) in a cell
    checking.py     from functions to a Score, a number with a report
    meanwhile.py    what a learner sees while that takes its time
    exercise.py     what an exercise is: requirements, and the stories of its judge
    coursefile.py   course.toml: where it is, its hints, a mistake with its line
    sources.py      where exercises come from: this package, a course folder, other packages
    bench.py        where a judge works: stories are told, scenes played, judgements taken down
    scene.py        how a scene gets into the sandbox
    submission.py   a learner's functions, and how they run: in the sandbox only
    unwritten.py    functions that wait for their learner are not judged
    kinds.py        functions that run nothing when they are called are refused
    evidence.py     questions to a sandbox run
    exitinfo.py     how a process ended, as m2_1's functions return it
    containerrecord.py  a container that has begun to run, which m2_4 writes down
    tables.py       tables of containers, and what somebody made of them
    tablewatch.py   a table, seen by others while it is changed
    bridge.py       a function to complete and one to repair, before the exercise
    reproduction.py what an exercise says of a failure: the smallest program in which it is seen
    reproducing.py  from the last check to a cell with that program
    reproduce_magic.py  %reproduce, which puts it below
    inside.py       what several scenes need, beside the learner's code
    referee.py      what a scene needs that never loads the answer: children of its own run it
    workers.py      children of a referee that live side by side
    locks.py        what a referee arranges and sees of processes that ask for a lock
    hidden.py       the lecturer's half of a report
    handout.py      a notebook as it was handed out: what it gives, and what it is worth
    handedin.py     what somebody handed in, read in a process of its own
    reader.py       that process
    cellfacts.py    a notebook's bytes as cells
    notebook.py     a submitted notebook as source
    statements.py   one cell's code, read once
    attempts.py     which statements of a notebook are an answer, and which attempts
    lazy.py         functions that run nothing when they are called, in a text
    platforms.py    how learning platforms name what they zip
    unpacking.py    a zip of submissions as a folder, whatever is in it
    submissions.py  a folder of what was handed in: who, which exercise, what is left out and why
    beside.py       Python files that were handed in beside a notebook
    roster.py       who is in a class
    taken.py        which lessons a class has taken, from exports
    history.py      what a graded run will not have of this notebook
    graded.py       one submitted notebook: points and reports
    marks.py        what is kept of it, and the little that a whole class has in memory
    batch.py        a folder of them, side by side
    tries.py        how often a judging did not come to its end
    sharding.py     a class in parts, for job systems
    cluster.py      a class on the workers of a Dask cluster
    clusterwork.py  what such a worker does
    classfiles.py   what is written of a class: tables, pages, reports
    courserules.py  what course.toml says of points, deadlines and people
    adjusting.py    from what was judged to what is exported, by these rules
    exports.py      what learning platforms import
    notebookcheck.py   one notebook, or some, in a terminal or in CI
    gradescope.py   one submission inside Gradescope's container: results.json
    gradescopemeta.py  attempts, lateness and groups, as Gradescope tells them
    lecturer.py     what lecturers type
    corpus.py       answers that are known to be right or wrong
    authoring.py    what those type who write exercises
    newexercise.py  an exercise to begin with, from template/
    nbgrader.py     the same inside nbgrader, in the place of a kernel
    exercises/      one folder an exercise: requirements.py, judge.py, scenes.py
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.grading.bench import Bench
    from udock_lab.grading.cells import check, check_hidden
    from udock_lab.grading.checking import Score, judge
    from udock_lab.grading.containerrecord import ContainerRecord
    from udock_lab.grading.exercise import Exercise
    from udock_lab.grading.exitinfo import ExitInfo
    from udock_lab.grading.sources import SLUGS
    from udock_lab.grading.submission import Submission

__all__ = [
    "SLUGS",
    "Bench",
    "ContainerRecord",
    "Exercise",
    "ExitInfo",
    "Score",
    "Submission",
    "check",
    "check_hidden",
    "judge",
]


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562): each sandbox starts with a solution's ``import ExitInfo, check``."""
    if name not in __all__:
        raise AttributeError(f"module 'udock_lab.grading' has no attribute {name!r}")
    value: object
    if name in ("check", "check_hidden"):
        from udock_lab.grading import cells

        value = getattr(cells, name)
    elif name == "Bench":
        from udock_lab.grading.bench import Bench as value
    elif name == "Exercise":
        from udock_lab.grading.exercise import Exercise as value
    elif name == "SLUGS":
        from udock_lab.grading import sources

        value = sources.SLUGS
    elif name == "ContainerRecord":
        from udock_lab.grading.containerrecord import ContainerRecord as value
    elif name == "ExitInfo":
        from udock_lab.grading.exitinfo import ExitInfo as value
    elif name == "Submission":
        from udock_lab.grading.submission import Submission as value
    else:
        from udock_lab.grading import checking

        value = getattr(checking, name)
    return value
