"""Where the root file system of a container comes from, and how to look into it as the container does.

Whoever explains why a program did not start, or looks one up where there is no chroot, asks the source: what stands at
a path inside is not always what stands at the same path below one folder of the host.
"""

from __future__ import annotations

import os

from udock_lab.linux.inside import Inside
from udock_lab.model.value import Value
from udock_lab.runtime.state.extras import Asked
from udock_lab.runtime.state.resources import Folder, Resource

__all__ = ["Directory", "PrivateCopy", "RootSource", "root_of", "source_of"]


class RootSource(Inside, Value):
    """A source; ``path`` is the folder that becomes the root directory.

    To add one: a class with that and, where it is not all that there is to see, with what looks there (inside.py).
    """

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Return what has to be acquired for it, and is written down before."""
        return ()

    @property
    def private(self) -> str | None:
        """Return the folder that is its container's alone, which ``spec.json`` names; None if there is none."""
        return None


class Directory(RootSource):
    """A folder as it is: an image's own, which its containers share."""

    path: str


class PrivateCopy(RootSource):
    """A copy of the root file system ``of`` an image, in a ``folder`` in ``run/`` of its container's own."""

    of: str
    folder: str

    @property
    def path(self) -> str:
        """Return where in its folder the copy is."""
        return f"{self.folder}/rootfs"

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Return its folder."""
        return (Folder(name=os.path.basename(self.folder)),)

    @property
    def private(self) -> str:
        """Return its folder."""
        return self.folder


def source_of(root: RootSource | str) -> RootSource:
    """Return the source; a path stands for the folder there."""
    return Directory(path=root) if isinstance(root, str) else root


def root_of(asked: Asked) -> RootSource | None:
    """Return where the root of a container comes from whose spec was kept; None if the spec does not say."""
    return None if asked.rootfs is None else Directory(path=asked.rootfs)
