"""nbgrader glue: graded cells are judged in the sandbox, and no kernel runs a line of a submission.

nbgrader executes a submitted notebook in a kernel of its own and reads points from the outputs. That kernel would
run learner code with the lecturer's rights. This preprocessor takes the place of that execution: the solution
cells go to the checker as source, and the points are written into the outputs here, where no learner code can
reach them. In ``nbgrader_config.py``::

    from udock_lab.grading.nbgrader import configure
    configure(get_config())
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from nbgrader.preprocessors.base import NbGraderPreprocessor

from udock_lab.display.markup import for_light_pages
from udock_lab.grading.graded import GradedCell, grade_cells
from udock_lab.grading.handout import Cell, Handout, nbgrader_facts, read_cells, text_of

__all__ = ["JudgeInSandbox", "RestoreCells", "autograde_preprocessors", "configure", "sanitize_preprocessors"]

STUB = 'raise NotImplementedError("Your code goes here.")'


class RestoreCells(NbGraderPreprocessor):
    """Put back what was handed out and has been deleted, so that points have a cell to stand in.

    nbgrader's own way (OverwriteCells.add_missing_cells) wants the cell before a missing one to be graded too.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Put each missing locked cell behind the one that it stood behind."""
        at = 0
        for cell in _source(resources):
            facts = nbgrader_facts(cell)
            places = [place for place, one in enumerate(nb.cells) if _id(one) == facts.get("grade_id")]
            if places:
                at = places[0] + 1
            elif facts.get("locked") and not facts.get("solution"):
                nb.cells.insert(at, from_dict({**cell, "source": text_of(cell)}))  # type: ignore[no-untyped-call]
                at += 1
        return nb, resources


class JudgeInSandbox(NbGraderPreprocessor):
    """Instead of executing the notebook: judge its solution, write points and report into the check cells."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge one notebook; nbgrader calls this with the course folder as working directory."""
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        places = {_id(cell): cell for cell in nb.cells}
        handout = Handout.of_cells(_source(resources))
        for count, graded in enumerate(grade_cells(nb.cells, handout, Path("instructor")), 1):
            cell = places[graded.check.grade_id]
            cell.execution_count, cell.outputs = count, [_output(graded, count)]
            self.log.info("%s: %g of %g points", graded.check.grade_id, graded.points, graded.check.points)
        return nb, resources


def _source(resources: dict[str, Any]) -> list[Cell]:
    """Return the lecturer's own version of this notebook."""
    facts = resources["nbgrader"]
    return read_cells(Path("source", facts["assignment"], f"{facts['notebook']}.ipynb"))


def _id(cell: Cell) -> object:
    return nbgrader_facts(cell).get("grade_id")


def _output(graded: GradedCell, count: int) -> NotebookNode:
    """Return the cell's output: nbgrader reads the number from text/plain; people read the rest."""
    data = {"text/plain": f"{graded.points:g}", "text/html": for_light_pages(graded.html)}
    made: NotebookNode = new_output(  # type: ignore[no-untyped-call]
        "execute_result", data=data, execution_count=count, metadata={"udock": {"text": graded.text}}
    )
    return made


def autograde_preprocessors() -> list[type]:
    """Return nbgrader's own list, with our judge where it executes, and without what would clear its words."""
    return [JudgeInSandbox, IgnorePattern, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]


def sanitize_preprocessors() -> list[type]:
    """Return nbgrader's own list, and missing cells restored before the changed ones."""
    return [ClearOutput, DeduplicateIds, RestoreCells, OverwriteKernelspec, OverwriteCells, CheckCellMetadata]


def configure(c: Any) -> None:
    """Set up nbgrader for this course; ``c`` is what ``get_config()`` gives.

    Submissions are judged in the sandbox; check cells that a learner has deleted come back.
    """
    here = os.path.dirname(sys.executable)  # nbgrader calls alembic by its name, also where no environment is active
    os.environ["PATH"] = f"{here}:{os.environ.get('PATH', os.defpath)}"
    c.CourseDirectory.course_id = "udock-lab"
    c.ClearSolutions.code_stub = {"python": STUB}
    c.Autograde.autograde_preprocessors = autograde_preprocessors()
    c.Autograde.sanitize_preprocessors = sanitize_preprocessors()
