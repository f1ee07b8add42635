"""Run lessons from top to bottom, each in a fresh kernel with an empty home, and write their outputs in place.

``execute_notebooks.py [SLUG...]``: all of them, or those. A lesson whose cell fails, or whose outputs tell something of
the machine they were made on, is left as it was; then this ends with 1.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from udock_lab.lesson.privacy import found_in

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # names a model that only the kernel of that time had
CELL_SECONDS = 60

Notebook = Any


@contextmanager
def learner() -> Iterator[None]:
    """Give the block a HOME of nobody's: no progress, no start-up files, no theme.

    The environment is put back at the end.
    """
    with tempfile.TemporaryDirectory(prefix="udock-execute-") as folder, patch.dict(os.environ):
        for name in ("MDOCK_HOME", "UDOCK_WIDGETS", "IPYTHONDIR", *(n for n in os.environ if n.startswith("JUPYTER_"))):
            os.environ.pop(name, None)
        os.environ["HOME"] = folder
        yield


def execute(notebook: Notebook) -> None:
    """Execute it in a fresh kernel whose working directory is the folder of the lessons."""
    client = NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}},
        record_timing=False, store_widget_state=False,
    )  # fmt: skip
    client.execute()


def normalise(notebook: Notebook) -> None:
    """Make the same what differs from one execution to the next without a meaning."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        count += bool(cell.source.strip())
        cell.execution_count = count if cell.source.strip() else None
        if asks(cell.source):  # the output shows the same words, and buttons
            cell.metadata["jupyter"] = {"source_hidden": True}
        cell.outputs = merged(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = count
            output.get("data", {}).pop(WIDGET_VIEW, None)
        cell.outputs = [output for output in cell.outputs if output.get("data", True)]  # without what was a view alone


def asks(source: str) -> bool:
    """Return whether the cell holds a question."""
    return re.match(r"\w+ = (predict|exit_ticket)\(", source) is not None


def merged(outputs: list[Any]) -> list[Any]:
    """Join pieces of one stream that follow each other: where it was flushed is chance."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == "stream" == last.output_type and output.name == last.name:
            last["text"] += output["text"]
        else:
            joined.append(output)
    return joined


def tells(notebook: Notebook) -> list[str]:
    """List where an output says something of this machine."""
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        private = found_in(json.dumps(cell.get("outputs", []), ensure_ascii=False))
        if private:
            found.append(f"cell {number}: an output tells where it was made: {private}")
    return found


def treat(path: Path) -> list[str]:
    """Execute one lesson and write it; what is wrong, and then it is not written."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    start = time.monotonic()
    try:
        execute(notebook)
    except CellExecutionError as error:
        return [str(error).strip()]
    except Exception as error:  # a kernel that died or a cell that took too long: the others are still run
        return [f"{type(error).__name__}: {error}"]
    normalise(notebook)
    wrong = tells(notebook)
    if not wrong:
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
        print(f"{path.name}: {time.monotonic() - start:.1f} s", flush=True)
    return wrong


def main() -> int:
    """Execute what was asked for; 1 if a lesson is not as it should be."""
    wanted = [name.removesuffix(".ipynb").removeprefix("notebooks/") for name in sys.argv[1:]]
    paths = [FOLDER / f"{slug}.ipynb" for slug in wanted] or sorted(FOLDER.glob("*.ipynb"))
    wrong = [f"{path.name}: there is no such lesson" for path in paths if not path.exists()]
    with learner():
        for path in filter(Path.exists, paths):
            wrong += [f"{path.name}: {what}" for what in treat(path)]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
