"""How much an export may hold, and how its files may be called. Written and read files keep to the same."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

__all__ = [
    "KINDS",
    "MOST_BYTES",
    "MOST_DIRECTORY",
    "MOST_FILES",
    "MOST_IN_ONE",
    "MOST_PACKED",
    "mebibytes",
    "wrong_with_name",
]

MOST_FILES = 1000
MOST_IN_ONE = 16 << 20  # bytes of one file
MOST_BYTES = 64 << 20  # of all of them
MOST_PACKED = 48 << 20  # of the export itself
MOST_DIRECTORY = 1 << 20  # of the list of contents at its end
_DEEPEST = 8  # folders
_LONGEST = 240  # bytes of a name in a folder: a word goes into it where two differ

# Notebooks and texts. No program: a file random.py in the folder of a notebook would run at its next import random.
KINDS = (".ipynb", ".md", ".txt", ".csv", ".c", ".h")


def wrong_with_name(name: str) -> str:
    """Return what is wrong with the path that a file has in the course's folder; empty if nothing is."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts:
        return "it leads out of the course's folder"
    if "\\" in name or not name.isprintable():
        return "its name has characters that no name here has"
    if any(part == "" or part.startswith(".") for part in parts) or len(parts) > _DEEPEST:
        return "it is hidden, or too deep in folders"
    try:
        longest = max(len(os.fsencode(part)) for part in parts)
    except UnicodeEncodeError:
        return "its name is no text"
    if longest > _LONGEST:
        return "its name is too long"
    if PurePosixPath(name).suffix.lower() not in KINDS:
        return "only notebooks and texts are packed"
    return ""


def mebibytes(count: int) -> str:
    """Return a number of bytes as ``16 MiB``."""
    return f"{count / (1 << 20):g} MiB"
