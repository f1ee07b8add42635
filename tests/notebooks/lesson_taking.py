"""Take a lesson as a learner would: answer its predictions, try orders of its task."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from udock_lab.lesson import OrderTask
from udock_lab.lesson.orders import Attempt
from udock_lab.sandbox import run

__all__ = ["NOTEBOOKS", "attempt", "sources", "taken_wrongly", "task_of"]

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"


def sources(slug: str) -> list[str]:
    cells = nbformat.read(NOTEBOOKS / f"{slug}.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def taken_wrongly(slug: str, answers: dict[str, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text that a learner reads who gives these answers."""
    monkeypatch.setenv("HOME", str(home))
    notebook = nbformat.read(NOTEBOOKS / f"{slug}.ipynb", as_version=4)
    for cell in notebook.cells:
        for name, answer in answers.items():
            if cell.source.startswith(f"{name} = predict("):
                cell.source = cell.source.removesuffix(name) + f"{name}.answer({answer!r})"
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    return "\n".join(output.get("data", {}).get("text/plain", "") for output in outputs)


def task_of(slug: str) -> tuple[OrderTask, list[int]]:
    """The put-in-order task of a lesson, and the order in which it is shown."""
    tree = ast.parse(next(source for source in sources(slug) if "put_in_order(" in source and "task" in source[:5]))
    calls: list[Any] = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    made = next(call for call in calls if ast.unparse(call.func) == "put_in_order")
    shown = next(call for call in calls if ast.unparse(call.func) == "task.try_order")
    words = {keyword.arg: ast.literal_eval(keyword.value) for keyword in made.keywords}
    lines = tuple(ast.literal_eval(made.args[1]))
    task = OrderTask("task", lines, words["expect"], words["goal"])
    return task, [ast.literal_eval(number) for number in shown.args]


def attempt(task: OrderTask, order: list[int] | tuple[int, ...]) -> Attempt:
    program = "\n".join(task.lines[number] for number in order) + "\n"
    return Attempt(task, tuple(order), run(program, timeout=5), "")
