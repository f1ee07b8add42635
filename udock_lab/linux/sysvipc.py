"""System V shared memory, semaphores and message queues (sysvipc(7)), which outlive their processes."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

from udock_lab.linux.libc import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["remove_ipc_of"]

_IPC_RMID = 0
_NOTHING = ctypes.c_void_p(0)
_REMOVES = {
    "shm": lambda number: libc.shmctl(number, _IPC_RMID, _NOTHING),
    "sem": lambda number: libc.semctl(number, 0, _IPC_RMID, _NOTHING),
    "msg": lambda number: libc.msgctl(number, _IPC_RMID, _NOTHING),
}


def remove_ipc_of(uid: int) -> None:
    """Remove all that this user made, or owns by now, in our ipc namespace; call it when its processes are gone.

    A child becomes that user for it: root may not, without CAP_SYS_ADMIN.
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
    """Yield kind and number of each (proc_sysvipc(5))."""
    for kind in _REMOVES:
        with suppress(OSError, ValueError), open(f"/proc/sysvipc/{kind}") as table:
            names = table.readline().split()
            places = [names.index("uid"), names.index("cuid")]
            for line in table:
                row = line.split()
                if str(uid) in [row[place] for place in places]:
                    yield kind, int(row[1])
