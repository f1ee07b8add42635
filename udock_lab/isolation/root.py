"""Another root by chroot: chdir, chroot, chdir (chroot(2)).

Light, since each fork of a container copies it. A root made of mounts: private_root.py.
"""

from __future__ import annotations

import errno
import os

from udock_lab.isolation.step import Child, Step
from udock_lab.linux.resolve import resolve_in_root

__all__ = ["Chdir", "ChdirInside", "Chroot", "change_root"]


def change_root(rootfs: str, workdir: str) -> list[Step]:
    """Go into the folder, make it the root, and step into that.

    A working directory left outside would be a way out.
    """
    return [Chdir(rootfs), Chroot(rootfs), ChdirInside(workdir)]


class Chdir(Step):
    """The working directory becomes the image's root (chdir(2)). Without chroot, this is all there is."""

    name = "chdir"
    call = "chdir"
    fields = ("path",)
    path: str

    def describe(self) -> str:
        return f'chdir("{self.path}")'

    def apply(self, child: Child) -> None:
        os.chdir(self.path)


class Chroot(Step):
    """``/`` becomes the image's root (chroot(2)); EPERM without CAP_SYS_CHROOT, and the run goes on."""

    name = "chroot"
    call = "chroot"
    fields = ("path",)
    path: str
    optional_errnos = (errno.EPERM,)

    def describe(self) -> str:
        return f'chroot("{self.path}")'

    def apply(self, child: Child) -> None:
        os.chroot(self.path)
        child.inside = True


class ChdirInside(Step):
    """Step into the new root. Skipped without chroot: there, ``/`` is still the host's."""

    name = "chdir_inside"
    call = "chdir"
    fields = ("path",)
    path: str

    def describe(self) -> str:
        return f'chdir("{self.path}")'

    def apply(self, child: Child) -> None:
        child.workdir = self.path
        if child.inside:
            os.chdir(self.path)
        elif self.path != "/":
            os.chdir(resolve_in_root(child.rootfs, self.path))
