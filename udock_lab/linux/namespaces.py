"""Namespaces: leave those that are shared, enter those of others (unshare(2), setns(2), namespaces(7))."""

from __future__ import annotations

import ctypes

from udock_lab.linux.libc import check, libc

__all__ = [
    "CLONE_NEWCGROUP",
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWTIME",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "setns",
    "unshare",
]

CLONE_NEWTIME = 0x00000080
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

_unshare, _setns = libc.unshare, libc.setns
_unshare.argtypes = (ctypes.c_int,)
_setns.argtypes = (ctypes.c_int, ctypes.c_int)


def unshare(flags: int) -> None:
    """Leave the shared namespaces named by ``flags``; CLONE_NEWUSER needs a single thread. Raises OSError."""
    check(_unshare(flags))


def setns(fd: int, flags: int = 0) -> None:
    """Enter the namespace behind ``fd``. Raises OSError."""
    check(_setns(fd, flags))
