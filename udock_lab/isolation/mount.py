"""Mounts, a system call each (mount(2), mount_setattr(2), mount_namespaces(7)).

A mount needs a place: the step that mounts makes the file or folder for it. Paths are those before the root changes.
"""

from __future__ import annotations

import os
import stat

from udock_lab.isolation.step import Child, Step
from udock_lab.linux.mounts import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
    mount_setattr,
)

__all__ = ["Bind", "Folder", "HoldOpen", "MountProc", "MountTmpfs", "PrivateMounts", "ReadOnly", "Symlink", "TextFile"]


class PrivateMounts(Step):
    """What is mounted here does not show in the namespace we came from, which a shared mount would see to."""

    name = "private_mounts"
    call = "mount"

    def describe(self) -> str:
        return 'mount("none", "/", NULL, MS_REC|MS_PRIVATE)'

    def apply(self, child: Child) -> None:
        mount("none", "/", None, MS_REC | MS_PRIVATE)


class MountTmpfs(Step):
    """An empty file system in memory, with an upper bound (tmpfs(5))."""

    name = "mount_tmpfs"
    call = "mount"
    fields = ("target", "options")
    target: str
    options: str

    def describe(self) -> str:
        return f'mount("udock", "{self.target}", "tmpfs", MS_NOSUID|MS_NODEV, "{self.options}")'

    def apply(self, child: Child) -> None:
        mount("udock", self.target, "tmpfs", MS_NOSUID | MS_NODEV, self.options)


class MountProc(Step):
    """The processes of our own pid namespace (proc(5)): EPERM where a part of the /proc that we came from is masked."""

    name = "mount_proc"
    call = "mount"
    fields = ("target",)
    target: str

    def describe(self) -> str:
        return f'mount("proc", "{self.target}", "proc", MS_NOSUID|MS_NODEV)'

    def apply(self, child: Child) -> None:
        mount("proc", self.target, "proc", MS_NOSUID | MS_NODEV)


class HoldOpen(Step):
    """Keep a path of the host at hand (O_PATH, open(2)): soon we are somebody who may not walk there."""

    name = "hold_open"
    call = "open"
    fields = ("path",)
    path: str

    def describe(self) -> str:
        return f'open("{self.path}", O_PATH|O_NOFOLLOW|O_CLOEXEC)'

    def apply(self, child: Child) -> None:
        child.held[self.path] = os.open(self.path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)


class Bind(Step):
    """Show a file or a folder of the host, with all that is mounted below it; by its descriptor, if one is held."""

    name = "bind"
    call = "mount"
    fields = ("source", "target")
    source: str
    target: str

    def describe(self) -> str:
        return f'mount("{self.source}", "{self.target}", NULL, MS_BIND|MS_REC)'

    def apply(self, child: Child) -> None:
        held = child.held.pop(self.source, -1)
        source = self.source if held < 0 else f"/proc/self/fd/{held}"
        if not os.path.lexists(self.target):
            self._make_place(stat.S_ISDIR(os.stat(source).st_mode))
        mount(source, self.target, None, MS_BIND | MS_REC)
        if held >= 0:
            os.close(held)

    def _make_place(self, is_folder: bool) -> None:
        os.makedirs(os.path.dirname(self.target), exist_ok=True)
        if is_folder:
            os.mkdir(self.target)
        else:
            os.close(os.open(self.target, os.O_CREAT | os.O_WRONLY, 0o666))


class ReadOnly(Step):
    """Nothing is written through this mount, no setuid bit and no device counts (MS_BIND|MS_RDONLY would not do it)."""

    name = "read_only"
    call = "mount_setattr"
    fields = ("target",)
    target: str

    def describe(self) -> str:
        return f'mount_setattr("{self.target}", AT_RECURSIVE, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NODEV)'

    def apply(self, child: Child) -> None:
        mount_setattr(self.target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)


class Folder(Step):
    """A folder, and those above it."""

    name = "folder"
    call = "mkdir"
    fields = ("target", "mode")
    target: str
    mode: int

    def describe(self) -> str:
        return f'mkdir("{self.target}", {self.mode:#o})'

    def apply(self, child: Child) -> None:
        os.makedirs(self.target, exist_ok=True)
        os.chmod(self.target, self.mode)


class Symlink(Step):
    """A link, made anew: to bind it would follow it."""

    name = "symlink"
    call = "symlink"
    fields = ("content", "target")
    content: str
    target: str

    def describe(self) -> str:
        return f'symlink("{self.content}", "{self.target}")'

    def apply(self, child: Child) -> None:
        os.makedirs(os.path.dirname(self.target), exist_ok=True)
        os.symlink(self.content, self.target)


class TextFile(Step):
    """A small file."""

    name = "text_file"
    call = "write"
    fields = ("target", "content")
    target: str
    content: str

    def describe(self) -> str:
        return f'write(open("{self.target}", O_CREAT), ...)'

    def apply(self, child: Child) -> None:
        os.makedirs(os.path.dirname(self.target), exist_ok=True)
        with open(self.target, "w") as file:
            file.write(self.content)
