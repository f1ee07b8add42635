"""nbgrader glue: graded cells are judged in the sandbox, and no kernel runs a line of a submission.

nbgrader executes a submitted notebook in a kernel of its own and reads points from the outputs. That kernel would
run learner code with the lecturer's rights. This preprocessor takes the place of that execution: the solution
cells go to the checker as source, and the points are written into the outputs here, where no learner code can
reach them. Nor is a submission parsed in this process, where one that is nested too deeply, or a copied cell, would end
the class: what nbgrader gets to see is what a reader made of it (handedin.py). In ``nbgrader_config.py``::

    from udock_lab.grading.nbgrader import configure
    configure(get_config())
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from bleach import clean
from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.exporters import HTMLExporter, NotebookExporter
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
from udock_lab.grading.cellfacts import grade_id_of, nbgrader_facts, text_of
from udock_lab.grading.graded import GradedCell, grade_notebook
from udock_lab.grading.handedin import for_nbgrader
from udock_lab.grading.handout import Handout, read_cells, read_notebook

__all__ = [
    "JudgeInSandbox",
    "PutBackLocked",
    "ReadApart",
    "RestoreCells",
    "autograde_preprocessors",
    "configure",
    "harmless_markdown",
    "sanitize_preprocessors",
]

_HIDDEN = re.compile(r"^[^\n]*BEGIN HIDDEN TESTS.*?END HIDDEN TESTS[^\n]*$\n?", re.DOTALL | re.MULTILINE)
_TEXT = ("a", "abbr", "b", "br", "code", "del", "em", "i", "img", "kbd", "s", "span", "strong", "sub", "sup")
_BLOCKS = ("blockquote", "div", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul")
_MORE = ("dd", "details", "dl", "dt", "summary", "table", "tbody", "td", "th", "thead", "tr")
_TAGS = frozenset((*_TEXT, *_BLOCKS, *_MORE))
_PROTOCOLS = frozenset({"data", "http", "https", "mailto"})  # data: for pictures that were put into a cell
STUB = 'raise NotImplementedError("Your code goes here.")'


class ReadApart(NotebookExporter):
    """Read a submission in a process of its own, before nbgrader looks at it.

    What nbgrader gets is its cells and nothing else; each name of the handout stands at one of them, and what nbgrader
    knew of it.
    """

    def from_filename(self, filename: str, resources: dict[str, Any] | None = None, **kw: Any) -> Any:
        """Export the notebook of that name; UsageError, which names it and stops nobody else."""
        if resources is None or not getattr(self.parent, "_sanitizing", True):  # at the second step it is our own
            return super().from_filename(filename, resources, **kw)
        path = Path(filename)
        facts = {grade_id_of(cell): nbgrader_facts(cell) for cell in _source(resources) if grade_id_of(cell)}
        found = from_dict(for_nbgrader(read_notebook(path), path.name, facts))  # type: ignore[no-untyped-call]
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        return self.from_notebook_node(found, resources, **kw)  # type: ignore[no-untyped-call]


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


class PutBackLocked(OverwriteCells):
    """Put the lecturer's version of locked cells back, and say so where a learner had changed one.

    nbgrader compares with the version that has the hidden tests, which nobody was handed: it says of every notebook
    that a checksum "has changed". Nobody did anything, so that is left out.
    """

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        """Put one cell back."""
        before = cell.source
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if before.strip() not in (cell.source.strip(), _HIDDEN.sub("", cell.source).strip()):
            self.log.warning(
                "%s changed the locked cell %s; it is graded as you handed it out.",
                resources["nbgrader"]["student"],
                _id(cell),
            )
        return cell, resources

    def report_change(self, name: str, attr: str, old: object, new: object) -> None:
        """Report what learners changed of a cell's facts; of its text see above."""
        if attr != "checksum":
            super().report_change(name, attr, old, new)


class JudgeInSandbox(NbGraderPreprocessor):
    """Instead of executing the notebook: judge its solution, write points and report into the check cells."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Judge one notebook; nbgrader calls this with the course folder as working directory."""
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        places = {_id(cell): cell for cell in nb.cells}
        handout = Handout.of_cells(_source(resources))
        for count, graded in enumerate(self._judged(nb, handout, resources), 1):
            cell = places[graded.check.grade_id]
            cell.execution_count, cell.outputs = count, [_output(graded, count)]
            self.log.info("%s: %g of %g points", graded.check.grade_id, graded.points, graded.check.points)
        return nb, resources

    def _judged(self, nb: NotebookNode, handout: Handout, resources: dict[str, Any]) -> Sequence[GradedCell]:
        notes = nb.metadata.get("udock", {}).get("notes", [])
        name = f"{resources['nbgrader']['notebook']}.ipynb"
        return grade_notebook(json.dumps(nb).encode(), name, handout, Path("instructor"), notes=notes)


def _source(resources: dict[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the lecturer's own version of this notebook."""
    facts = resources["nbgrader"]
    return read_cells(Path("source", facts["assignment"], f"{facts['notebook']}.ipynb"))


def _id(cell: Mapping[str, Any]) -> object:
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
    return [ClearOutput, DeduplicateIds, RestoreCells, OverwriteKernelspec, PutBackLocked, CheckCellMetadata]


@pass_context
def harmless_markdown(context: Context, source: str) -> str:
    """Return the HTML of a Markdown cell without what could run or load anything: nbconvert's own keeps scripts.

    What is left out is shown as text. Formulas stay text, too: MathJax would take links to scripts from them.
    """
    shown = _exporter().markdown2html(context, source)
    attributes = {"*": ["title"], "a": ["href"], "img": _from_a_cell}
    safe = clean(shown, tags=_TAGS, attributes=attributes, protocols=_PROTOCOLS)  # type: ignore[no-untyped-call]
    return f'<div class="tex2jax_ignore">{safe}</div>'


@cache
def _exporter() -> HTMLExporter:
    return HTMLExporter(exclude_anchor_links=True)  # type: ignore[no-untyped-call]


def _from_a_cell(_tag: str, name: str, value: str) -> bool:
    """Return whether an attribute of a picture stays: a picture from elsewhere would tell who looks, and when."""
    return name == "alt" or (name == "src" and value.startswith("data:image/"))


def configure(c: Any) -> None:
    """Set up nbgrader for this course; ``c`` is what ``get_config()`` gives.

    Submissions are judged in the sandbox; check cells that a learner has deleted come back.
    """
    here = os.path.dirname(sys.executable)  # nbgrader calls alembic by its name, also where no environment is active
    os.environ["PATH"] = f"{here}:{os.environ.get('PATH', os.defpath)}"
    c.CourseDirectory.course_id = "udock-lab"
    c.ClearSolutions.code_stub = {"python": STUB}
    c.Autograde.exporter_class = ReadApart
    c.HTMLExporter.filters = {"markdown2html": harmless_markdown}  # of feedback, and of the pages where you grade
    c.Autograde.autograde_preprocessors = autograde_preprocessors()
    c.Autograde.sanitize_preprocessors = sanitize_preprocessors()
