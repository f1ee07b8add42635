"""nbgrader glue: graded cells are judged in the sandbox, and no kernel runs a line of a submission.

nbgrader executes a submitted notebook in a kernel of its own and reads points from the outputs. That kernel would
run learner code with the lecturer's rights. This preprocessor takes the place of that execution: the solution
cells go to the checker as source, and the points are written into the outputs here, where no learner code can
reach them. In ``nbgrader_config.py``::

    from udock_lab.grading.nbgrader import autograde_preprocessors
    c.Autograde.autograde_preprocessors = autograde_preprocessors()
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)
from nbgrader.preprocessors.base import NbGraderPreprocessor

from udock_lab.grading.graded import GradedCell, grade_cells

__all__ = ["JudgeInSandbox", "autograde_preprocessors"]


class JudgeInSandbox(NbGraderPreprocessor):
    """Instead of executing the notebook: judge its solution, write points and report into the check cells."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """nbgrader calls this once a notebook."""
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        for graded in grade_cells(nb.cells):
            cell = nb.cells[graded.index]
            cell.execution_count = graded.index + 1
            cell.outputs = [_output(graded, cell.execution_count)]
            self.log.info("%s: %g of %g points", graded.grade_id, graded.points, graded.out_of)
        return nb, resources


def _output(graded: GradedCell, count: int) -> NotebookNode:
    """nbgrader reads the number from text/plain; people read the rest."""
    data = {"text/plain": f"{graded.points:g}", "text/html": graded.html}
    made: NotebookNode = new_output(  # type: ignore[no-untyped-call]
        "execute_result", data=data, execution_count=count, metadata={"udock": {"text": graded.text}}
    )
    return made


def autograde_preprocessors() -> list[type]:
    """nbgrader's own list, with our judge where it executes, and without what would clear its words."""
    return [JudgeInSandbox, IgnorePattern, LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
