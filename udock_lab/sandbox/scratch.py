"""The scratch folder in which the learner's code works: what it brings back, and its removal."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

__all__ = ["remove", "small_files"]

FILES, FILE_SIZE = 20, 64 * 1024  # how many files the result gets, and up to which size in bytes


def small_files(folder: str) -> dict[str, str]:
    """Name to content of the small regular files at the top of it, a byte a character; no link is followed."""
    found: dict[str, str] = {}
    with suppress(OSError):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_file(follow_symlinks=False) and entry.stat().st_size <= FILE_SIZE and len(found) < FILES:
                with suppress(OSError), open(entry.path, "rb") as file:
                    found[entry.name] = file.read().decode("latin-1")
    return found


def remove(folder: str) -> None:
    """The folder and all in it, folders that nobody may enter and very deep ones too. Call it when all are gone."""
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    for words in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):  # they walk as deep as they must
        with suppress(OSError):
            os.waitpid(os.posix_spawnp(words[0], [*words, "--", folder], os.environ), 0)
