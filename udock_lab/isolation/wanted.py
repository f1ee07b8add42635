"""What somebody wants a process to be shut into: a field for each layer, empty where it is not wanted.

The order of the fields is that of sequence.py. Who wants says what; when it is done, and why then, stands there.
"""

from __future__ import annotations

from udock_lab.model.value import Value

__all__ = ["Files", "PrivateRoot", "Wanted"]


class PrivateRoot(Value):
    """A root made of mounts in memory: what of the host is shown in it, read-only, and where one may write."""

    shown: tuple[str, ...]  # folders, files and links of the host, each at its own path
    devices: tuple[str, ...]  # names in /dev
    scratch: str  # the working directory, the one place that is meant for files
    size: str  # bytes of all that can be written, together, as tmpfs(5) reads them
    inodes: int  # files and folders, together: each takes memory too


class Files(Value):
    """What may be reached of the files, by path: the rest is refused (Landlock)."""

    reading: tuple[str, ...]
    devices: tuple[str, ...]
    writing: tuple[str, ...]


class Wanted(Value):
    """All that can be wanted."""

    observed: bool = False  # the parent looks before the first step and after the last one
    adopts_orphans: bool = False
    death_signal: int = 0  # which one comes when whoever started it ends
    terminal: bool = False
    joins: int = 0  # the pid of the process whose user namespace is entered; the child has its pidfd
    own_ids: tuple[int, int] | None = None  # uid and gid that are root's in a user namespace; it writes the maps itself
    mapped: str = ""  # the rule (ask.py) by which the parent writes the maps of one
    namespaces: tuple[str, ...] = ()  # names of namespaces.py that must be had
    optional_namespaces: tuple[str, ...] = ()  # and those that are done without where they are refused
    is_first: bool = False  # in a new pid namespace it is process 1 itself, with nobody to look after it
    private_root: PrivateRoot | None = None
    rootfs: str = ""  # a folder that becomes the root by chroot
    workdir: str = ""  # in it
    limits: tuple[tuple[str, int, int], ...] = ()  # name in the module resource, soft, hard
    dies_first: bool = False  # when memory runs out
    nice: int = 0
    cwd: str = ""  # the working directory where the root stays
    files: Files | None = None
    uid: int = 0  # another user, and the group of the same number, for good
    capabilities: tuple[int, ...] | None = None  # all that it keeps
    bounded: bool = False  # and all that a program it executes may gain
    no_new_privs: bool = False
    signals_inside: bool = False  # nobody outside is signalled, as far as the machine permits
    protected: tuple[int, ...] = ()  # for a machine that can only refuse signals by pid
    no_kill_all: bool = False  # kill(-1) is refused
    options: tuple[tuple[str, str], ...] = ()  # layers that are asked for by name, each with its value

    def option(self, name: str) -> str:
        """Return the value with which a layer was asked for by name; empty where it was not."""
        return dict(self.options).get(name, "")
