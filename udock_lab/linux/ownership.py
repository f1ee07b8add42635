"""Whose a file is: what root makes in somebody else's folder is theirs (``sudo mdock``), and stays so (chown(2))."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

__all__ = ["adopt", "keep_owner"]


def adopt(path: str, fd: int = -1) -> None:
    """Give ``path`` (open as ``fd``), which root has just made, to the owner of its folder.

    Does nothing for other users.
    """
    if os.geteuid() != 0:
        return
    with suppress(OSError):  # a file system without owners, or one that squashes root: then there is nothing to give
        folder = os.stat(os.path.dirname(path))
        if folder.st_uid:
            if fd >= 0:
                os.fchown(fd, folder.st_uid, folder.st_gid)
            else:
                os.chown(path, folder.st_uid, folder.st_gid, follow_symlinks=False)


def keep_owner(out: int, old: os.stat_result) -> None:
    """Give the new file ``out``, which will replace an old one, that one's owner and permissions."""
    new = os.fstat(out)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with suppress(PermissionError):  # not ours to give: then it is ours
            os.fchown(out, old.st_uid, old.st_gid)
    if new.st_mode != old.st_mode:
        os.fchmod(out, stat.S_IMODE(old.st_mode))
