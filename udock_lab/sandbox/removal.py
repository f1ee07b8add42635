"""The removal of the scratch folder, and of what its user left elsewhere."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress

from udock_lab.linux.sysvipc import remove_ipc_of

__all__ = ["SHARED", "remove", "remove_all_of"]

SHARED = ("/tmp", "/var/tmp", "/dev/shm")


def remove_all_of(uid: int) -> None:
    """Remove what a sandbox's own user left in folders that are open to everybody, and System V's kinds of memory.

    Call it when all its processes are gone.
    """
    remove_ipc_of(uid)
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
