"""Mounts: attach, detach, change, and take one for the root (mount(2), umount2(2), mount_setattr(2), pivot_root(2)).

Every function raises OSError with the path.
"""

from __future__ import annotations

import ctypes
import os

from udock_lab.linux.libc import check, libc, raw_syscall

__all__ = [
    "MNT_DETACH",
    "MOUNT_ATTR_NODEV",
    "MOUNT_ATTR_NOSUID",
    "MOUNT_ATTR_RDONLY",
    "MS_BIND",
    "MS_NODEV",
    "MS_NOSUID",
    "MS_PRIVATE",
    "MS_REC",
    "mount",
    "mount_setattr",
    "pivot_root",
    "umount2",
]

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4

_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_SYS_MOUNT_SETATTR = 442  # the same on every architecture
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, -1)

_mount, _umount2 = libc.mount, libc.umount2
_mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)


def mount(source: str, target: str, fstype: str | None, flags: int = 0, data: str | None = None) -> None:
    """Attach a file system, or change how one is attached (MS_BIND, MS_PRIVATE)."""
    kind, options = fstype.encode() if fstype else None, data.encode() if data else None
    check(_mount(os.fsencode(source), os.fsencode(target), kind, flags, options), target)


def umount2(target: str, flags: int = 0) -> None:
    """Detach a file system."""
    check(_umount2(os.fsencode(target), flags), target)


def mount_setattr(target: str, attributes: int) -> None:
    """Set MOUNT_ATTR_* on a mount and on everything mounted below it (Linux 5.12)."""
    attr = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns_fd
    path, size = os.fsencode(target), ctypes.c_size_t(ctypes.sizeof(attr))
    at, flags = ctypes.c_int(_AT_FDCWD), ctypes.c_uint(_AT_RECURSIVE)
    check(raw_syscall(_SYS_MOUNT_SETATTR, at, path, flags, attr, size), target)


def pivot_root(new_root: str, put_old: str) -> None:
    """Make ``new_root`` the root mount and hang the old one at ``put_old``."""
    check(raw_syscall(_SYS_PIVOT_ROOT, os.fsencode(new_root), os.fsencode(put_old)), new_root)
