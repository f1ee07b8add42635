"""Python files that were handed in beside a notebook, as text: what ``from helper import launch`` finds in the sandbox.

Only what the notebook mentions is read, or what such a file mentions. Nothing is run here. A module of Python's own
library, or of this package, keeps its name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from udock_lab.errors import MdockError
from udock_lab.grading.handout import read_notebook

__all__ = ["modules_beside", "neighbours"]

MOST_CODE = 500_000  # bytes of all of them; a notebook's cells may have as much
_MOST_FILES = 50


def neighbours(notebook: Path) -> tuple[tuple[str, Path], ...]:
    """Return the Python files in the folder of a notebook, by their names."""
    return tuple((path.name, path) for path in sorted(notebook.parent.glob("*.py")) if not path.is_symlink())


def modules_beside(notebook: bytes, files: Sequence[tuple[str, Path]]) -> tuple[dict[str, str], list[str]]:
    """Return the text of each file that is needed, by its name, and a sentence on each that could not be taken."""
    names = {name: path for name, path in files if _is_importable(name)}
    texts: dict[str, str] = {}
    notes: list[str] = []
    size, said = 0, [notebook]
    for text in said:  # grows
        for name in sorted(_mentioned(text, names.keys() - texts.keys())):
            path = names.pop(name)
            try:
                content = read_notebook(path)
                size += len(content)
                if size > MOST_CODE or len(texts) >= _MOST_FILES:
                    notes.append(f"{name} is left out: there is more code beside the notebook than anybody writes.")
                    continue
                texts[name] = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                notes.append(f"{name} is left out: it is not UTF-8.")
                continue
            except MdockError as error:
                notes.append(f"{name} is left out: {error.message}")
                continue
            said.append(content)
    return texts, notes


def _is_importable(name: str) -> bool:
    parts = name.removesuffix(".py").split("/")
    return all(part.isidentifier() for part in parts) and parts[0] not in {*sys.stdlib_module_names, "udock_lab"}


def _mentioned(text: bytes, names: Iterable[str]) -> Iterator[str]:
    """Yield the files whose module, or the folder that is its package, stands in a text as a word."""
    words = set(re.findall(rb"\w+", text))
    for name in names:
        if name.removesuffix(".py").partition("/")[0].encode() in words:
            yield name
