"""What makes a notebook a lesson of this course: its frame, its predictions, its task, its exit ticket, its C twin.

Each kind of the outline (``udock_lab/lesson/outline.py``) has its rules, whichever challenge it belongs to: a lesson
needs all of these; a primer has the frame, a prediction or two, and short cells with a text before each; a page is held
to what it uses.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from udock_lab.errors import UsageError
from udock_lab.lesson.outline import Entry, entry

MOST_PREDICTIONS = 3
MOST_PREDICTIONS_OF_A_PRIMER = 2
MOST_LINES_OF_A_PRIMER = 5  # of one cell
TICKET_QUESTIONS = 2
FRAME_OF_A_QUESTION = re.compile(r"^\w+ = predict\(|^\w+\.settle\(", re.MULTILINE)
OF_A_COURSE = re.compile(r"(?:m\d+|\d\d)_")  # of any challenge: m2_, m6_; and pages: 00_
C_TWIN = re.compile(r"^```c\n(.*?)^```", re.DOTALL | re.MULTILINE)
IMPORTS_PROGRESS = re.compile(r"^from udock_lab\.lesson import .*\bprogress\b", re.MULTILINE)
PROSE_CODE = re.compile(r"^```.*?^```|`[^`\n]+`|<[^>]+>|\]\([^)]*\)|!\[", re.DOTALL | re.MULTILINE)
NOT_OUR_VOICE = re.compile(r"\b(?:simply|obviously|just)\b|!|[\U0001F300-\U0001FAFF]", re.IGNORECASE)

Cell = dict[str, Any]


def course_shape(path: Path, cells: list[Cell]) -> list[str]:
    """Return one sentence for each thing that a lesson of the course lacks."""
    try:
        lesson = entry(path.stem)
    except UsageError as error:
        if not OF_A_COURSE.match(path.stem):
            return []
        return [f"it is not in udock_lab/lesson/outline.py: {error.message}"]
    return list(_violations(path, lesson, cells))


def _violations(path: Path, lesson: Entry, cells: list[Cell]) -> Iterator[str]:
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    calls = [_calls(source) for source in code]
    yield from _minutes(lesson, "".join(cells[0]["source"]))
    yield from _voice(cells)
    yield from _predictions(calls)
    yield from _folded(cells)
    if lesson.kind != "page":
        yield from _frame(lesson.slug, cells, calls)
    if lesson.kind == "primer":
        yield from _one_thing_at_a_time(cells, calls)
    if lesson.kind == "lesson":
        yield from _tasks(code, calls)
        yield from _twin(path, cells)


def _calls(source: str) -> list[tuple[str, ast.Call]]:
    """Return (name, call) of each call in a cell: ``predict``, ``lines.settle``.

    A %%sandbox cell has none: it runs elsewhere.
    """
    if source.lstrip().startswith("%%"):
        return []
    lines = [
        "pass" if re.match(r"\s*[%!]", line) else re.sub(r"=\s*[%!].*$", "= None", line) for line in source.split("\n")
    ]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:
        return []  # running it says so
    return [(ast.unparse(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _minutes(lesson: Entry, first: str) -> Iterator[str]:
    said = re.search(r"(\d+) minutes", first)
    if said and int(said[1]) != lesson.minutes:
        yield f"the first cell says {said[1]} minutes, udock_lab/lesson/outline.py says {lesson.minutes}"


def _voice(cells: list[Cell]) -> Iterator[str]:
    for number, cell in enumerate(cells, 1):
        if cell["cell_type"] == "markdown":
            word = NOT_OUR_VOICE.search(PROSE_CODE.sub("", "".join(cell["source"])))
            if word:
                yield f"cell {number}: {word.group()!r} is not the voice of this course"


def _predictions(calls: list[list[tuple[str, ast.Call]]]) -> Iterator[str]:
    """Yield what is wrong with the predictions: at most three, each settled by exactly one cell, after it was asked."""
    asked = _asked(calls)
    if len(asked) > MOST_PREDICTIONS:
        yield f"{len(asked)} predictions, at most {MOST_PREDICTIONS}"
    for name, asked_at in asked.items():
        at = [place for place, cell in enumerate(calls) for called, _ in cell if called == f"{name}.settle"]
        if len(at) != 1:
            yield f"the prediction {name} is settled by {len(at)} cells, wanted one"
        elif at[0] <= asked_at:
            yield f"the prediction {name} is settled before there was time to answer it"


def _asked(calls: list[list[tuple[str, ast.Call]]]) -> dict[str, int]:
    """Return the place of the cell that asks each prediction."""
    return {
        str(call.args[0].value): place
        for place, cell in enumerate(calls)
        for name, call in cell
        if name == "predict" and call.args and isinstance(call.args[0], ast.Constant)
    }


def miscounted(path: Path, cells: list[Cell]) -> list[str]:
    """Return what the outline counts wrongly: a lesson that has not asked so many questions has not been read."""
    calls = [_calls("".join(cell["source"])) for cell in cells if cell["cell_type"] == "code"]
    lesson, names = entry(path.stem), [name for cell in calls for name, _ in cell]
    tickets = [call for cell in calls for name, call in cell if name == "exit_ticket"]
    found = {
        "predictions": (len(_asked(calls)), lesson.predictions),
        "tasks": (names.count("put_in_order"), lesson.tasks),
        "questions of an exit ticket": (sum(len(call.args) for call in tickets), lesson.questions),
    }
    return [
        f"it has {count} {what}, udock_lab/lesson/outline.py says {said}"
        for what, (count, said) in found.items()
        if count != said
    ]


def _folded(cells: list[Cell]) -> Iterator[str]:
    """Yield a problem for each question cell that is not committed folded: its output says the same."""
    for number, cell in enumerate(cells, 1):
        asks = re.match(r"\w+ = (predict|exit_ticket)\(", "".join(cell["source"]))
        if cell["cell_type"] == "code" and asks and not cell["metadata"].get("jupyter", {}).get("source_hidden"):
            yield f"cell {number} shows the words of its {asks[1]} twice: run scripts/execute-notebooks"


def _frame(slug: str, cells: list[Cell], calls: list[list[tuple[str, ast.Call]]]) -> Iterator[str]:
    begins = [(place, call) for place, cell in enumerate(calls) for name, call in cell if name == "begin"]
    if not begins or [ast.unparse(word) for word in begins[0][1].args] != [repr(slug)]:
        yield f'no cell calls begin("{slug}")'
    else:
        of_code = [cell for cell in cells if cell["cell_type"] == "code"]
        if "nbval-ignore-output" not in of_code[begins[0][0]]["metadata"].get("tags", []):
            yield "the cell with begin tells of the machine: tag it nbval-ignore-output"
    if not any(IMPORTS_PROGRESS.search("".join(cell["source"])) for cell in cells):
        yield "no cell imports progress: messages tell the learner to type it"
    if not calls or not any(name == "lesson.end" for name, _ in calls[-1]):
        yield "the last code cell does not call lesson.end()"


def _one_thing_at_a_time(cells: list[Cell], calls: list[list[tuple[str, ast.Call]]]) -> Iterator[str]:
    """Yield where a primer asks too much: each cell that runs something is short, and has its text right before it."""
    asked = sum(name == "predict" for cell in calls for name, _ in cell)
    if not 1 <= asked <= MOST_PREDICTIONS_OF_A_PRIMER:
        yield f"{asked} predictions, a primer has 1 or {MOST_PREDICTIONS_OF_A_PRIMER}"
    for number, (before, cell) in enumerate(pairwise(cells), 2):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code" or "lesson" in source or FRAME_OF_A_QUESTION.search(source):
            continue
        if source.count("\n") + 1 > MOST_LINES_OF_A_PRIMER:
            yield f"cell {number} has more than {MOST_LINES_OF_A_PRIMER} lines, the most in a primer"
        if before["cell_type"] == "code" and not FRAME_OF_A_QUESTION.search("".join(before["source"])):
            yield f"cell {number} has no text before it that says what to look at"


def _tasks(code: list[str], calls: list[list[tuple[str, ast.Call]]]) -> Iterator[str]:
    every = [(name, call) for cell in calls for name, call in cell]
    if not any(name == "put_in_order" for name, _ in every):
        yield "there is no put_in_order task"
    elif not any(name.endswith(".try_order") for name, _ in every):
        yield "no cell runs the put_in_order task with try_order"
    tickets = [call for name, call in every if name == "exit_ticket"]
    if len(tickets) != 1 or len(tickets[0].args) != TICKET_QUESTIONS:
        yield f"there is no exit_ticket of {TICKET_QUESTIONS} questions"
    if not any(re.search(r"#.*\bchange this line\b", source) for source in code):
        yield "no cell has a line marked: # change this line"


def _twin(path: Path, cells: list[Cell]) -> Iterator[str]:
    """Yield a problem where the C that is shown is not cut from a program that is compiled and run."""
    blocks = [b for cell in cells if cell["cell_type"] == "markdown" for b in C_TWIN.findall("".join(cell["source"]))]
    program = path.parent / "c" / f"{path.stem}.c"
    if not blocks:
        yield "it shows no C twin of its core lines (a ```c block)"
    elif not program.exists():
        yield f"its C has no program: notebooks/c/{program.name}"
    else:
        lines = _bare(program.read_text())
        if any(_bare(block) not in lines for block in blocks):
            yield f"its C is not cut from notebooks/c/{program.name}"


def _bare(code: str) -> str:
    """Return the code without indentation: a piece of a function stands further left on the page."""
    return "\n".join(line.strip() for line in code.strip().splitlines())
