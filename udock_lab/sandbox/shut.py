"""A sandbox with walls: its own users, processes, mounts and network, and a root file system made for one run.

What is graded is not trusted. Where the machine permits, such code sees a root that holds the system's programs and
this Python read-only, a little /dev, its own /proc, and one scratch folder in memory with an upper bound. Its
uid 0 is nobody outside (user_namespaces(7)), so it regains chroot in there and nothing out here.
The lesson's own subjects at work: mount_namespaces(7), pid_namespaces(7), pivot_root(2).
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from contextlib import suppress

from udock_lab.linux.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    MNT_DETACH,
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
    pivot_root,
    umount2,
    unshare,
)

__all__ = ["SCRATCH", "enter_namespaces", "enter_private_root", "hold_open", "readable_by_all", "system_folders"]

SCRATCH = "/scratch"  # the working directory inside
SIZE = "64m"  # everything that can be written, together
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")


def system_folders(package: str) -> list[str]:
    """What a Python with this package needs to run, in the order in which it can be mounted."""
    libraries = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    wanted = [*_SYSTEM, sys.base_prefix, sys.prefix, f"{package}/udock_lab", *libraries]
    found: list[str] = []
    for path in wanted:
        real = os.path.abspath(path) if path else ""
        if real and os.path.lexists(real) and not any(real == one or real.startswith(f"{one}/") for one in found):
            found.append(real)
    return sorted(found, key=len)


def readable_by_all(paths: Sequence[str]) -> bool:
    """May anybody list and enter these folders, whatever stands above them?"""
    with suppress(OSError):
        return all(os.lstat(path).st_mode & 0o004 for path in paths)
    return False


def enter_namespaces() -> list[str]:
    """New mount, pid, ipc, host name and network namespaces; the names of those that were refused.

    Raises OSError if mounts or processes cannot be set apart: the rest would be worth little without them.
    The pid namespace holds what is forked from now on.
    """
    unshare(CLONE_NEWNS | CLONE_NEWPID)
    refused = []
    for name, flag in (("network", CLONE_NEWNET), ("ipc", CLONE_NEWIPC), ("host name", CLONE_NEWUTS)):
        try:
            unshare(flag)
        except OSError:
            refused.append(name)
    return refused


def hold_open(paths: Sequence[str]) -> dict[str, int]:
    """Path to descriptor (O_PATH, open(2)), taken before we become somebody who may not walk there."""
    return {path: os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC) for path in paths}


def enter_private_root(mountpoint: str, shown: dict[str, int]) -> None:
    """As the first process of a pid namespace: make the root and move into it; the host's is let go.

    ``mountpoint`` is any empty folder; what ``shown`` holds open appears read-only under its path. Raises OSError.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("udock", mountpoint, "tmpfs", MS_NOSUID | MS_NODEV, f"size={SIZE},mode=755")
    for path, fd in shown.items():
        _show(fd, mountpoint + path)
        os.close(fd)
    _devices(mountpoint)
    for name, mode in ((SCRATCH, 0o755), ("/tmp", 0o1777), ("/proc", 0o555), ("/old", 0o700), ("/root", 0o700)):
        os.makedirs(mountpoint + name, exist_ok=True)
        os.chmod(mountpoint + name, mode)
    os.makedirs(f"{mountpoint}/etc", exist_ok=True)
    with open(f"{mountpoint}/etc/passwd", "w") as file:
        file.write("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    mount("proc", f"{mountpoint}/proc", "proc", MS_NOSUID | MS_NODEV)
    pivot_root(mountpoint, f"{mountpoint}/old")
    os.chdir("/")
    umount2("/old", MNT_DETACH)
    os.rmdir("/old")
    os.chdir(SCRATCH)


def _show(fd: int, inside: str) -> None:
    """Bind it read-only; a symlink is made again, since binding it would follow it."""
    if os.path.lexists(inside):
        return
    os.makedirs(os.path.dirname(inside), exist_ok=True)
    mode = os.fstat(fd).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink("", dir_fd=fd), inside)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(inside)
    else:
        os.close(os.open(inside, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(f"/proc/self/fd/{fd}", inside, None, MS_BIND | MS_REC)
    mount_setattr(inside, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)


def _devices(root: str) -> None:
    """The host's own nodes, bound: nobody without privilege can make them."""
    os.mkdir(f"{root}/dev")
    for name in _DEVICES:
        os.close(os.open(f"{root}/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/dev/{name}", f"{root}/dev/{name}", None, MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(target, f"{root}/dev/{name}")
