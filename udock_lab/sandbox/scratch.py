"""The scratch folder in which the learner's code works: what it brings back, and its removal."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

__all__ = ["SHARED", "remove", "remove_all_of", "small_files"]

FILES, FILE_SIZE = 20, 64 * 1024  # how many files the result gets, and up to which size in bytes
SHARED = ("/tmp", "/var/tmp", "/dev/shm")


def small_files(folder: str, owner: int = 0) -> dict[str, bytes]:
    """Name to content of the small regular files at the top of it; no link is followed.

    Of ``owner`` alone, unless that is 0: the name may have been given to a file of root's (link(2)).
    """
    found: dict[str, bytes] = {}
    with suppress(OSError):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if not entry.is_file(follow_symlinks=False) or owner not in (0, entry.stat().st_uid):
                continue
            if entry.stat().st_size <= FILE_SIZE and len(found) < FILES:
                with suppress(OSError), open(entry.path, "rb") as file:
                    found[entry.name] = file.read()
    return found


def remove_all_of(uid: int) -> None:
    """Remove what a sandbox's own user left in folders that are open to everybody.

    Call it when all its processes are gone.
    """
    for folder in SHARED:
        with suppress(OSError):
            for entry in list(os.scandir(folder)):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        remove(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


def remove(folder: str) -> None:
    """Remove the folder and all in it, also folders that nobody may enter and very deep ones.

    Call it when all are gone.
    """
    with suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    for words in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):  # they walk as deep as they must
        with suppress(OSError):
            os.waitpid(os.posix_spawnp(words[0], [*words, "--", folder], os.environ), 0)
