"""Look at files as a process does that has another root directory, without being in there."""

from __future__ import annotations

import os

from udock_lab.linux.resolve import resolve_in_root

__all__ = ["FolderInside", "Inside"]


class Inside:
    """What stands in a root directory, named by paths as they are inside it.

    Here the root is the folder ``path``. One that is put together from several overrides what looks there.
    """

    __slots__ = ()

    @property
    def path(self) -> str:
        """Return the folder on the host that is the root directory."""
        raise NotImplementedError

    def look(self, path: str, cwd: str = "/") -> str:
        """Return the host path of the file that ``path`` names, every symlink followed.

        Raises OSError as the kernel would (path_resolution(7)).
        """
        return resolve_in_root(self.path, path, cwd)

    def link(self, path: str) -> str | None:
        """Return where the symlink at ``path`` leads to (readlink(2)); None if none can be read there."""
        folder, name = os.path.split(path)
        try:
            return os.readlink(f"{self.look(folder or '/')}/{name}")
        except OSError:
            return None

    def names(self, folder: str, cwd: str = "/") -> list[str]:
        """Return what stands in a folder; OSError if it cannot be read."""
        return os.listdir(self.look(folder, cwd))

    def inside(self, host: str) -> str:
        """Return the path inside of a file or folder that :meth:`look` gave; ``/`` for what is not in there."""
        root, real = os.path.realpath(self.path).rstrip("/"), os.path.realpath(host)
        return real[len(root) :] or "/" if real.startswith(root + "/") else "/"

    def unresolved(self, path: str) -> str:
        """Return how to write a path inside on the host, for a command that is to show each link of it."""
        return f"{self.path.rstrip('/')}/{path.lstrip('/')}"


class FolderInside(Inside):
    """Any folder, taken as a root directory."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        """Return the folder."""
        return self._path
