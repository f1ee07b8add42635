"""A root made for one run: a file system in memory, what of the host is shown in it, and then the host's is let go.

As pivot_root(2) wants it: the mount namespace is private, the new root is a mount of its own. Nothing of the old root
can be reached afterwards, which no chroot can say.
"""

from __future__ import annotations

import os

from udock_lab.isolation.mount import (
    Bind,
    Folder,
    HoldOpen,
    MountProc,
    MountTmpfs,
    PrivateMounts,
    ReadOnly,
    Symlink,
    TextFile,
)
from udock_lab.isolation.root import Chdir
from udock_lab.isolation.step import Child, Step
from udock_lab.linux.mounts import MNT_DETACH, pivot_root, umount2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from udock_lab.isolation.wanted import PrivateRoot

__all__ = ["DropOldRoot", "PivotRoot", "hold_open", "private_root"]

PLACE = "/tmp"  # what the new root hides in our own mount namespace while it is made; any folder would do
_OLD = "/old"
_FOLDERS = (("/tmp", 0o1777), ("/proc", 0o555), (_OLD, 0o700), ("/root", 0o700))
_LINKS = (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"))
_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"


def hold_open(root: PrivateRoot) -> list[Step]:
    """Open all that will be shown, while we may still walk there."""
    return [HoldOpen(path) for path in root.shown if not os.path.islink(path)]


def private_root(root: PrivateRoot) -> list[Step]:
    """Make it, move into it, let go of the host's; the working directory is the scratch folder."""
    return [
        PrivateMounts(),
        MountTmpfs(PLACE, f"size={root.size},nr_inodes={root.inodes},mode=755"),
        *(step for path in root.shown for step in _shown(path)),
        *(Bind(f"/dev/{name}", f"{PLACE}/dev/{name}") for name in root.devices),  # nobody without privilege makes one
        *(Symlink(target, f"{PLACE}/dev/{name}") for name, target in _LINKS),
        *(Folder(PLACE + name, mode) for name, mode in ((root.scratch, 0o755), *_FOLDERS)),
        TextFile(f"{PLACE}/etc/passwd", _USERS),
        MountProc(f"{PLACE}/proc"),
        PivotRoot(PLACE, PLACE + _OLD),
        Chdir("/"),
        DropOldRoot(_OLD),
        Chdir(root.scratch),
    ]


def _shown(path: str) -> list[Step]:
    if os.path.islink(path):
        return [Symlink(os.readlink(path), PLACE + path)]
    return [Bind(path, PLACE + path), ReadOnly(PLACE + path)]


class PivotRoot(Step):
    """The new root becomes ``/``, and the old one hangs below it."""

    name = "pivot_root"
    call = "pivot_root"
    fields = ("new_root", "put_old")
    new_root: str
    put_old: str

    def describe(self) -> str:
        return f'pivot_root("{self.new_root}", "{self.put_old}")'

    def apply(self, child: Child) -> None:
        pivot_root(self.new_root, self.put_old)
        child.inside = True


class DropOldRoot(Step):
    """The old root goes, though files in it are in use (EBUSY without MNT_DETACH), and the folder it hung on."""

    name = "drop_old_root"
    call = "umount2"
    fields = ("path",)
    path: str

    def describe(self) -> str:
        return f'umount2("{self.path}", MNT_DETACH)'

    def apply(self, child: Child) -> None:
        umount2(self.path, MNT_DETACH)
        os.rmdir(self.path)
