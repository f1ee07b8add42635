"""The removal of the scratch folder, and of what its user left elsewhere."""

from __future__ import annotations

import ctypes
import os
import shutil
from contextlib import suppress

from udock_lab.linux.libc import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SHARED", "remove", "remove_all_of"]

SHARED = ("/tmp", "/var/tmp", "/dev/shm")
_IPC_RMID = 0


def remove_all_of(uid: int) -> None:
    """Remove what a sandbox's own user left in folders that are open to everybody, and System V's kinds of memory.

    Call it when all its processes are gone.
    """
    _remove_ipc_of(uid)
    for folder in SHARED:
        with suppress(OSError):
            for entry in list(os.scandir(folder)):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == uid:
                        remove(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


def _remove_ipc_of(uid: int) -> None:
    """Remove shared memory, semaphores and message queues (sysvipc(7)), which outlive their processes.

    As that user: root may not, without CAP_SYS_ADMIN.
    """
    if not any(True for _ in _ipc_of(uid)):
        return
    pid = os.fork()
    if pid == 0:
        try:
            os.setresuid(uid, uid, uid)
            for kind, number in _ipc_of(uid):
                _REMOVES[kind](number)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _ipc_of(uid: int) -> Iterator[tuple[str, int]]:
    """Yield kind and number of all that this user made, or owns by now, in our ipc namespace."""
    for kind in _REMOVES:
        with suppress(OSError, ValueError), open(f"/proc/sysvipc/{kind}") as table:
            names = table.readline().split()
            places = [names.index("uid"), names.index("cuid")]
            for line in table:
                row = line.split()
                if str(uid) in [row[place] for place in places]:
                    yield kind, int(row[1])


_NOTHING = ctypes.c_void_p(0)
_REMOVES = {
    "shm": lambda number: libc.shmctl(number, _IPC_RMID, _NOTHING),
    "sem": lambda number: libc.semctl(number, 0, _IPC_RMID, _NOTHING),
    "msg": lambda number: libc.msgctl(number, _IPC_RMID, _NOTHING),
}


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
