"""What is mounted inside a tree: the kernel's own views, a FUSE that refuses, the tree itself once more."""

from __future__ import annotations

import errno
import os

from udock_lab.linux import filesystems

__all__ = ["Mounted"]

_GONE = (errno.ENOTCONN, errno.ESTALE, errno.EHOSTDOWN)  # whoever served that file system is away


class Mounted:
    """The file systems that a walk has met; each is asked for its kind once."""

    def __init__(self) -> None:
        self._kinds: dict[int, int] = {}  # of the file system of each st_dev

    def view_of_the_kernel(self, name: str, info: os.stat_result, folder: int) -> str | None:
        """Return the name of the file system that the kernel makes up while it is read; None for one with files.

        Of such nothing can be copied: /proc/kmsg would never end, /proc/1/mem fail.
        """
        if info.st_dev not in self._kinds:
            self._kinds[info.st_dev] = filesystems.kind_of(name, folder)
        return filesystems.KERNELS_OWN.get(self._kinds[info.st_dev])

    @staticmethod
    def refuses(name: str, folder: int, error: OSError) -> bool:
        """Return whether a mount refuses even root.

        A FUSE of another user does (fuse(4), allow_other); one whose server died is not connected.
        """
        if error.errno in _GONE:
            return True
        try:
            return error.errno in (errno.EACCES, errno.EPERM) and (
                filesystems.kind_of(name, folder) == filesystems.FUSE
            )
        except OSError:
            return False

    @staticmethod
    def differ(one: int, other: int) -> bool:
        """Return whether two directories are on different mounts."""
        return filesystems.mount_id(one) != filesystems.mount_id(other)
