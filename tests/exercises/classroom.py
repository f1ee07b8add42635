"""A class: notebooks as learners hand them in, made from a release and an answer.

``handed_in(slug, source)`` is what an honest learner sends. The other functions do to it what learners do.
"""

from __future__ import annotations

import copy
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness import CORPUS, COURSE

__all__ = [
    "Class",
    "Notebook",
    "answer",
    "code_cell",
    "dump",
    "handed_in",
    "in_brightspace",
    "in_canvas",
    "in_folders",
    "in_ilias",
    "in_moodle",
    "release",
    "unzipped",
    "with_copy",
    "with_extras",
    "with_forgeries",
    "with_schema",
    "with_scripts",
    "without_checks",
    "zipped",
]

Notebook = dict[str, Any]


def release(slug: str) -> Notebook:
    """What was handed out."""
    notebook: Notebook = json.loads((COURSE / "release" / slug / f"{slug}.ipynb").read_text())
    return notebook


def answer(slug: str, name: str) -> str:
    """One answer of the corpus, as source."""
    return (CORPUS / slug / f"{name}.py").read_text()


def handed_in(slug: str, source: str) -> Notebook:
    """The release with ``source`` in its first solution cell; the other ones are emptied."""
    notebook = release(slug)
    for cell in _solutions(notebook):
        cell["source"], source = source, ""
    return notebook


def _solutions(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if _facts(cell).get("solution")]


def _facts(cell: dict[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return facts


def code_cell(source: str, name: str) -> dict[str, Any]:
    """A cell of the learner's own."""
    return {"cell_type": "code", "id": name, "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def without_checks(notebook: Notebook) -> Notebook:
    """Somebody tidied up: no check cells, no imports."""
    kept = [cell for cell in notebook["cells"] if not _facts(cell).get("locked")]
    return notebook | {"cells": kept}


def with_copy(notebook: Notebook, source: str) -> Notebook:
    """Somebody copied the solution cell and went on, or did not, in the copy."""
    solution = _solutions(notebook)[0]
    at = notebook["cells"].index(solution) + 1
    return notebook | {
        "cells": [*notebook["cells"][:at], {**solution, "id": "copied", "source": source}, *notebook["cells"][at:]]
    }


def with_scripts(notebook: Notebook) -> Notebook:
    """Cells of Markdown and raw HTML that run or load something where they are shown as they are."""
    words = (
        "# Notes\n\n<script>alert(1)</script> <img src=x onerror=alert(2)>\n\n"
        "[a link](javascript:alert(3)) ![a picture](https://elsewhere.example/seen.png) **bold** $\\href{javascript:alert(4)}{x}$\n\n"
        "<iframe srcdoc='<script>alert(5)</script>'></iframe>\n\n- a < b\n\n```python\nif a < b: pass\n```"
    )
    markdown = {"cell_type": "markdown", "id": "notes", "metadata": {}, "source": words}
    metadata = {"raw_mimetype": "text/html", "format": "text/html"}
    raw = {"cell_type": "raw", "id": "raw", "metadata": metadata, "source": "<script>alert(6)</script>"}
    return notebook | {"cells": [*notebook["cells"], markdown, raw]}


def with_schema(notebook: Notebook, version: int) -> Notebook:
    """Its metadata are of another nbgrader."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if facts := _facts(cell):
            facts["schema_version"] = version
    return notebook


def with_extras(notebook: Notebook) -> Notebook:
    """Trials (in the solution cell too), magics, shell lines, an assignment that would call the function, a cell that is no Python."""
    extras = [
        "%%sandbox\nlaunch(['/bin/true'])", "!ls /", "%timeit 1 + 1", "x = launch(['/bin/true'])", "this is no Python",
        "import sys\nprint('trying')\nsys.exit(3)", "if True:\n    %pwd\n",
    ]  # fmt: skip
    solution = _solutions(notebook)[0]
    solution["source"] += "\nprint(launch(['/bin/true']))\nfor _ in range(2):\n    launch(['/bin/false'])"
    cells = [*notebook["cells"], *(code_cell(source, f"extra-{n}") for n, source in enumerate(extras))]
    cells[1:1] = [code_cell("raise SystemExit", "extra-first"), code_cell("?os.fork", "extra-second")]
    return notebook | {"cells": cells}


def with_forgeries(notebook: Notebook) -> Notebook:
    """Locked cells were rewritten, points raised, and outputs with full points put in."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        facts = _facts(cell)
        if facts.get("grade"):
            cell["source"], facts["points"] = "100.0", 100
            cell["outputs"] = [
                {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": "100.0"}}
            ]
        elif facts.get("locked") and cell["cell_type"] == "code":
            cell["source"] = "check = check_hidden = lambda *arguments: 100.0\nExitInfo = tuple"
    return notebook


def dump(notebook: Notebook | str, path: Path) -> Path:
    """Write it where it belongs; text as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return path


# --- a class as learning platforms zip it: files by the learner's name, each learner's files by their own names

Class = dict[str, dict[str, Notebook | str]]


def _text(file: Notebook | str) -> str:
    return file if isinstance(file, str) else json.dumps(file)


def _numbered(learners: Class) -> Iterator[tuple[int, str, str, str]]:
    for number, (learner, files) in enumerate(learners.items(), 100):
        for name, file in files.items():
            yield number, learner, name, _text(file)


def in_folders(learners: Class, slug: str) -> dict[str, str]:
    """As nbgrader collects them."""
    return {f"{learner}/{slug}/{name}": text for _, learner, name, text in _numbered(learners)}


def in_moodle(learners: Class, slug: str) -> dict[str, str]:
    """A folder for each participant of the assignment."""
    return {f"{who}_{n}_assignsubmission_file_/{name}": text for n, who, name, text in _numbered(learners)}


def in_canvas(learners: Class, slug: str) -> dict[str, str]:
    """Side by side: the sortable name without what is no letter, the user, the upload."""
    return {
        f"{re.sub(r'[^a-z0-9]', '', who.lower())}_{n}_{9000 + at}_{name}": text
        for at, (n, who, name, text) in enumerate(_numbered(learners))
    }


def in_ilias(learners: Class, slug: str) -> dict[str, str]:
    """A folder for each: last name, first name, login (here the learner), number."""
    return {f"{slug}/Submissions/Last_First_{who}_{n}/{name}": text for n, who, name, text in _numbered(learners)}


def in_brightspace(learners: Class, slug: str) -> dict[str, str]:
    """A folder for each attempt, and a page on top."""
    made = {
        f"{slug}/{n}-640693 - {who} - Oct 10, 2025 1022 AM/{name}": text for n, who, name, text in _numbered(learners)
    }
    return {**made, f"{slug}/index.html": "<html></html>"}


def zipped(files: Mapping[str, str | bytes], path: Path) -> Path:
    """Write a zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def unzipped(files: Mapping[str, str], folder: Path) -> Path:
    """Write the same as files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder
