"""A submitted notebook as text: which cells are the learner's solution, and what of them is code.

Nothing here runs anything. Cells travel to the sandbox as source; what belongs to a notebook only (magics, shell
lines, trial calls outside of the solution) is left out. All this happens in a process of its own (reader.py), whose
limits hold whatever a notebook says; those here are told in a sentence.
"""

from __future__ import annotations

import ast

from udock_lab.errors import UsageError
from udock_lab.grading.attempts import calling, choose, needed
from udock_lab.grading.cellfacts import grade_id_of, nbgrader_facts, text_of
from udock_lab.grading.lazy import lazy_in
from udock_lab.grading.statements import Code, says_something
from udock_lab.model.value import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from udock_lab.grading.cellfacts import Cell

__all__ = [
    "Part",
    "Solution",
    "chosen_copies",
    "does_something",
    "read_solution",
    "refuse_too_much",
    "unwritten_in",
]

MOST_CODE = 500_000  # characters of all code cells; an answer has some thousand
LONGEST_LINE = 20_000  # characters
MOST_CELLS = 2_000
MOST_DEFINITIONS = 2_000  # functions and classes; an answer has some ten
_HAND_WRITTEN = "An answer has some thousand characters, in some ten functions: ask for the notebook as it was written."


class Part(Value):
    """One cell of an answer. ``name`` stands for it in tracebacks, whose line numbers are the cell's own.

    ``whole``: it is a solution cell, or one that was handed out: an error in it is the answer's. Of other cells
    whatever fails is left out, statement by statement.
    """

    name: str
    text: str
    whole: bool = True


class Solution(Value):
    """All that a learner's functions may need. ``futures``: what its cells import from ``__future__``.

    ``lazy``: functions that run nothing when they are called, and of what kind; ``unwritten``: those that do no more
    than to say that they are not written. ``notes`` are for the report.
    """

    parts: tuple[Part, ...] = ()
    futures: tuple[str, ...] = ()
    lazy: dict[str, str] = field(factory=dict)
    unwritten: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, one cell below the other."""
        return "\n\n".join(part.text for part in self.parts if part.text.strip()) + "\n"


class _Cell:
    """A cell, its code, and what it is: ``given``, ``solution``, ``copy`` (of one) or ``added``."""

    def __init__(self, kind: str, text: str, number: int) -> None:
        self.kind = kind
        self.number = number  # among the notebook's code cells
        self.code = Code(text)
        self.first_line = next((line.strip() for line in text.split("\n") if line.strip()), "")


def read_solution(
    cells: Sequence[Cell], given: Mapping[str, str], solutions: Iterable[str], functions: Sequence[str]
) -> Solution:
    """Return everything that the learner's ``functions`` may need.

    Solution cells and given cells; of all other cells definitions, and what makes something that the answer uses
    (attempts.py). Of a solution cell that stands there more than once, the last copy that is filled in. A cell that
    Python cannot read is kept if it is a solution cell (the checker then says what is wrong with it), else left out.
    Raises UsageError for more code than anybody writes.
    """
    refuse_too_much(cells)
    kinds, notes = _kinds(cells, given, set(solutions))
    there = {grade_id_of(cell) for cell in cells}
    read = [_Cell("given", text, 0) for grade_id, text in given.items() if grade_id not in there]
    number = 0
    for cell, kind in zip(cells, kinds, strict=True):
        number += cell.get("cell_type") == "code"
        if kind:
            read.append(_Cell(kind, given[grade_id_of(cell)] if kind == "given" else text_of(cell), number))
    _refuse_many_definitions(read)
    tried = calling((one.code for one in read), functions)
    whole = [one.code for one in read if one.kind in ("given", "solution")]
    kept = needed(whole, (one.code for one in read if one.kind in ("copy", "added")), tried, functions)
    parts = []
    for one in read:
        if part := _part(one, tried, kept, functions):
            parts.append(part)
    return Solution(
        parts=tuple(parts),
        futures=tuple(dict.fromkeys(name for one in read for name in one.code.futures)),
        lazy=lazy_in((node.node for one in read for node in one.code.statements), functions),
        unwritten=unwritten_in(
            (node.node for one in read if one.kind != "copy" for node in one.code.statements), functions
        ),
        notes=tuple(notes),
    )


def _part(one: _Cell, tried: set[str], kept: set[int], functions: Sequence[str]) -> Part | None:
    if one.kind == "given":
        text = one.code.text
    elif one.kind == "solution":
        text = choose(one.code, tried, None)
    else:
        text = choose(one.code, tried, kept, functions if one.kind == "copy" else ()) if one.code.readable else ""
        text = text if says_something(text) else ""
    if not text.strip():
        return None
    return Part(name=_called(one, functions), text=text, whole=one.kind in ("given", "solution"))


def _called(one: _Cell, functions: Sequence[str]) -> str:
    """Return a file name for a cell by which a learner knows it."""
    defined = [statement.defines for statement in one.code.statements if statement.defines]
    named = next((name for name in defined if name in functions), "")
    if named:
        return f"<your cell with {named}>"
    return f"<your cell {one.number}: {one.first_line[:40]}>"


# --- what each cell is


def _kinds(cells: Sequence[Cell], given: Mapping[str, str], solutions: set[str]) -> tuple[list[str], list[str]]:
    """Return the kind of each cell, empty for those that count for nothing, and what is to be said about copies."""
    copies, notes = chosen_copies(cells, solutions)
    kinds = []
    for number, cell in enumerate(cells):
        facts, grade_id = nbgrader_facts(cell), grade_id_of(cell)
        if grade_id in given:
            kinds.append("given")
        elif number in copies:
            kinds.append(copies[number])
        elif cell.get("cell_type") != "code" or facts.get("grade"):
            kinds.append("")
        else:
            kinds.append("added")
    return kinds, notes


def chosen_copies(cells: Sequence[Cell], solutions: set[str]) -> tuple[dict[int, str], list[str]]:
    """Return which cells are solution cells, and which are copies of one that do not count; and notes on that.

    Whoever copies a cell in Jupyter copies its name, too. The last copy counts that is filled in.
    """
    places: dict[str, list[int]] = {}
    for number, cell in enumerate(cells):
        grade_id = grade_id_of(cell)
        is_one = grade_id in solutions or nbgrader_facts(cell).get("solution")
        if is_one and cell.get("cell_type") == "code":
            named = grade_id if grade_id not in ("", "None") else f"{number}"
            places.setdefault(named, []).append(number)
    kinds: dict[int, str] = {}
    notes = []
    for grade_id, found in places.items():
        filled = [number for number in found if len(found) > 1 and _is_filled(text_of(cells[number]))]
        chosen = filled[-1] if filled else found[-1]
        kinds |= {number: "solution" if number == chosen else "copy" for number in found}
        if len(found) > 1:
            which = (
                "the last one" if chosen == found[-1] else f"number {found.index(chosen) + 1}, the last filled-in one"
            )
            notes.append(f"The solution cell {grade_id[:80]} is there {len(found)} times; {which} counts.")
    return kinds, notes


def _is_filled(text: str) -> bool:
    """Return whether somebody wrote something: a function that does more than to say that it is not written."""
    code = Code(text)
    if not code.readable:
        return bool(code.text.strip())
    return any(map(does_something, (one.node for one in code.statements)))


def does_something(node: ast.stmt) -> bool:
    """Return whether this statement is more than words, an import, or what says that nothing is written yet."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return any(map(does_something, node.body))
    if isinstance(node, ast.ClassDef):
        return True
    if isinstance(node, ast.Raise):
        return "NotImplementedError" not in ast.dump(node)[:200]
    is_word = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return not is_word and not isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)


def unwritten_in(body: Iterable[ast.stmt], names: Iterable[str]) -> tuple[str, ...]:
    """Return which functions of these names do nothing; of two with one name the later one says so."""
    found: dict[str, bool] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = not does_something(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            found |= {one.id: False for one in ast.walk(node) if isinstance(one, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: False for one in node.names}
    return tuple(name for name in names if found.get(name))


# --- how much there may be


def refuse_too_much(cells: Sequence[Cell]) -> None:
    """Raise UsageError for more code than anybody writes by hand."""
    if len(cells) > MOST_CELLS:
        raise UsageError(f"This notebook has {len(cells):,} cells.", _HAND_WRITTEN)
    texts = [text_of(cell) for cell in cells if cell.get("cell_type") == "code"]
    size = sum(map(len, texts))
    if size > MOST_CODE:
        raise UsageError(f"The code cells of this notebook hold {size:,} characters.", _HAND_WRITTEN)
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    if longest > LONGEST_LINE:
        raise UsageError(f"A line of code in this notebook has {longest:,} characters.", _HAND_WRITTEN)


def _refuse_many_definitions(read: Sequence[_Cell]) -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    count = sum(isinstance(node, kinds) for one in read for own in one.code.statements for node in ast.walk(own.node))
    if count > MOST_DEFINITIONS:
        raise UsageError(f"The code cells of this notebook define {count:,} functions and classes.", _HAND_WRITTEN)
