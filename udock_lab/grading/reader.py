"""The process that reads one submission: it gets a notebook's bytes and hands back plain data, and then it ends.

Whatever a notebook holds, it is parsed here and nowhere else (JSON first, then Python): a text that is nested too
deeply, or too long for the time there is, costs this process and not the lecturer's. Nothing that is read is run.

Standard input is one line of JSON, what is wanted (handedin.py writes it), and then the notebook. Standard output
is one object of JSON: ``{"found": ...}``, or ``{"refused": [sentence, what to do]}``.
"""

from __future__ import annotations

import json
import resource
import sys

from udock_lab.errors import UsageError
from udock_lab.grading.cellfacts import cells_of, grade_id_of, text_of
from udock_lab.grading.notebook import chosen_copies, read_solution, refuse_too_much
from udock_lab.model.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from udock_lab.grading.cellfacts import Cell

__all__ = ["MEMORY", "SECONDS", "main"]

SECONDS = 10  # of processor time; a notebook of a person takes some hundredths
MEMORY = 1 << 30  # bytes of address space
MOST_TEXT = 2_000_000  # characters of all cells, words included


def main() -> None:
    """Read, answer, end."""
    for limit, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    wanted, _, notebook = sys.stdin.buffer.read().partition(b"\n")
    try:
        answer = {"found": _answer(json.loads(wanted), notebook)}
    except UsageError as error:
        answer = {"refused": [error.message, error.hint]}
    sys.stdout.buffer.write(json.dumps(answer).encode())
    sys.stdout.flush()


def _answer(wanted: Mapping[str, Any], notebook: bytes) -> object:
    cells = cells_of(notebook, wanted["name"])
    do: dict[str, Callable[[list[Cell], Mapping[str, Any]], object]] = {
        "solution": _solution,
        "for nbgrader": _for_nbgrader,
    }
    return do[wanted["do"]](cells, wanted)


def _solution(cells: list[Cell], wanted: Mapping[str, Any]) -> object:
    return plain(read_solution(cells, wanted["given"], wanted["solutions"], wanted["functions"]))


def _for_nbgrader(cells: list[Cell], wanted: Mapping[str, Any]) -> object:
    """Return the notebook as nbgrader can take it, whatever it was.

    Each name of the handout (``facts``) stands at one cell, with what nbgrader knew of it when it was handed out. Of
    solution cells that were copied the one that counts has it, of others the first. Outputs and attachments go.
    """
    refuse_too_much(cells)
    size = sum(len(text_of(cell)) for cell in cells)
    if size > MOST_TEXT:
        raise UsageError(
            f"The cells of this notebook hold {size:,} characters.", "Those of this course have some thousand."
        )
    facts: dict[str, dict[str, Any]] = wanted["facts"]
    solutions = {grade_id for grade_id, own in facts.items() if own.get("solution")}
    copies, notes = chosen_copies(cells, solutions)
    chosen = {number: grade_id_of(cells[number]) for number, kind in copies.items() if kind == "solution"}
    settled = set(chosen.values())
    made: list[dict[str, Any]] = []
    for number, cell in enumerate(cells):
        kind, grade_id = cell.get("cell_type"), grade_id_of(cell)
        if kind not in ("code", "markdown", "raw"):
            continue
        counts = grade_id in facts and (number in chosen or grade_id not in settled)
        settled.add(grade_id)
        metadata = {"nbgrader": facts[grade_id]} if counts else {}
        made.append({"cell_type": kind, "id": f"cell-{number}", "metadata": metadata, "source": text_of(cell)})
        if kind == "code":
            made[-1] |= {"execution_count": None, "outputs": []}
    about = {"language_info": {"name": "python"}, "udock": {"notes": notes}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": made}
