"""Exercises judged by what the kernel saw.

::

    check.py        check(...) in a cell; Score, a number with a report
    exercise.py     requirements, and the bench on which a judge works
    submission.py   a learner's functions, and how they run: in the sandbox only
    evidence.py     questions to a sandbox run
    hidden.py       the lecturer's part
    notebook.py     a submitted notebook as source
    graded.py       one submitted notebook: points and reports
    nbgrader.py     the same inside nbgrader, in the place of a kernel
    exercises/      one file an exercise: requirements, scenarios, judge
"""

from udock_lab.grading.check import SLUGS, Score, check, check_hidden, exercise, judge
from udock_lab.grading.exercise import Bench, Exercise
from udock_lab.grading.exitinfo import ExitInfo
from udock_lab.grading.submission import Submission

__all__ = [
    "SLUGS",
    "Bench",
    "Exercise",
    "ExitInfo",
    "Score",
    "Submission",
    "check",
    "check_hidden",
    "exercise",
    "judge",
]
