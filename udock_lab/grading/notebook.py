"""A submitted notebook as text: which cells are the learner's solution, and what of them is code.

Nothing here runs anything. Cells travel to the sandbox as source; what belongs to a notebook only (magics, shell
lines, trial calls outside of the solution) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from udock_lab.errors import UsageError
from udock_lab.grading.attempts import calling, definitions, names_in_functions, without_attempts
from udock_lab.grading.handout import Cell, Handout, nbgrader_facts, text_of

__all__ = ["solution_source"]

MOST_CODE = 1 << 20  # characters of all code cells; an answer has some thousand
_FUTURE = re.compile(r"^from __future__ import [^\n;]*", re.MULTILINE)
_PLAIN_INSIDE = re.compile(r"\s*%%(capture|time|timeit|prun)\b")  # cell magics that run their cell as it stands
_ASSIGNED = re.compile(r"(\s*[\w, ]+=\s*)([%!].*)")  # files = !ls
_HELP = re.compile(r"\s*[\w.]+\?\??\s*")  # os.fork?


def solution_source(cells: Sequence[Cell], handout: Handout, functions: Sequence[str]) -> str:
    """Return everything that the learner's ``functions`` may need, as one module.

    Solution cells and given cells; of all other cells only definitions. What learners try out, in whichever cell,
    is not part of their answer. A cell that Python cannot read is kept if it is a solution cell (the checker then
    says what is wrong with it), else left out. ``from __future__`` goes to the top: in a notebook each cell has one.
    Raises UsageError for more code than anybody writes.
    """
    size = sum(len(text_of(cell)) for cell in cells if cell.get("cell_type") == "code")
    if size > MOST_CODE:
        raise UsageError(f"The code cells of this notebook hold {size:,} characters.", "An answer has some thousand.")
    source = "\n\n".join(part for part in _parts(cells, handout, functions) if part.strip()) + "\n"
    future = dict.fromkeys(_FUTURE.findall(source))
    return "".join(f"{line}\n" for line in future) + _FUTURE.sub("pass", source)


def _parts(cells: Sequence[Cell], handout: Handout, functions: Sequence[str]) -> Iterator[str]:
    code = [_without_magics(text_of(cell)) for cell in cells if cell.get("cell_type") == "code"]
    tried, wanted = calling(code, functions), set().union(*map(names_in_functions, code))
    there = {str(nbgrader_facts(cell).get("grade_id")) for cell in cells}
    yield from (_without_magics(text) for grade_id, text in handout.given.items() if grade_id not in there)
    for cell in cells:
        facts = nbgrader_facts(cell)
        grade_id = str(facts.get("grade_id", ""))
        if grade_id in handout.given:
            yield _without_magics(handout.given[grade_id])
        elif grade_id in handout.solutions or (facts.get("solution") and cell.get("cell_type") == "code"):
            yield without_attempts(_without_magics(text_of(cell)), tried)
        elif cell.get("cell_type") == "code" and not facts.get("grade"):
            yield definitions(_without_magics(text_of(cell)), wanted)


def _without_magics(text: str) -> str:
    """Turn lines of the notebook's own language into comments, so that line numbers stay.

    Most cell magics take all of the cell.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("%%") and not _PLAIN_INSIDE.match(text):
        return ""
    return "\n".join(_without_magic(line) for line in text.split("\n"))


def _without_magic(line: str) -> str:
    """Turn one line into ``pass``, which keeps a block whole that had nothing else."""
    code = line.lstrip()
    if assigned := _ASSIGNED.fullmatch(line):
        return f"{assigned[1]}None  # {assigned[2]}"
    if _HELP.fullmatch(line) or code.startswith(("%", "!", "?")):
        return f"{line[: len(line) - len(code)]}pass  # {code}"
    return line
