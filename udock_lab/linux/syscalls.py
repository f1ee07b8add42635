"""System calls that the standard library of Python 3.11 lacks, and one raiser for errno.

Everything is bound when this module is imported, so that a forked child only calls.
Each wrapper raises :class:`OSError` with the kernel's errno; sources: prctl(2), unshare(2), setns(2), mount(2).
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "CLONE_NEWCGROUP",
    "CLONE_NEWIPC",
    "CLONE_NEWNET",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWTIME",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "MNT_DETACH",
    "MOUNT_ATTR_NODEV",
    "MOUNT_ATTR_NOSUID",
    "MOUNT_ATTR_RDONLY",
    "MS_BIND",
    "MS_NODEV",
    "MS_NOSUID",
    "MS_PRIVATE",
    "MS_REC",
    "PR_SET_CHILD_SUBREAPER",
    "PR_SET_DUMPABLE",
    "PR_SET_KEEPCAPS",
    "PR_SET_NO_NEW_PRIVS",
    "PR_SET_PDEATHSIG",
    "PR_SET_SECCOMP",
    "check",
    "drop_capabilities",
    "keep_capabilities",
    "mount",
    "mount_setattr",
    "permitted_capabilities",
    "pivot_root",
    "prctl",
    "seccomp_program",
    "set_filter",
    "setns",
    "umount2",
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

MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 2

MOUNT_ATTR_RDONLY = 0x1
MOUNT_ATTR_NOSUID = 0x2
MOUNT_ATTR_NODEV = 0x4

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)
_libc.unshare.argtypes = (ctypes.c_int,)
_libc.setns.argtypes = (ctypes.c_int, ctypes.c_int)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.umount2.argtypes = (ctypes.c_char_p, ctypes.c_int)
_prctl, _unshare, _setns, _mount, _umount2 = (
    _libc.prctl,
    _libc.unshare,
    _libc.setns,
    _libc.mount,
    _libc.umount2,
)


def check(result: int, *names: str) -> int:
    """Turn -1 into an OSError with the thread's errno, the one place where that happens."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), *names)
    return result


def prctl(option: int, arg2: int = 0, arg3: int = 0, arg4: int = 0, arg5: int = 0) -> int:
    """Operate on the calling process (prctl(2))."""
    return check(_prctl(option, arg2, arg3, arg4, arg5))


_POINTER = ctypes.sizeof(ctypes.c_void_p)
_SECCOMP_MODE_FILTER = 2
_ROOM = ctypes.create_string_buffer(2 * _POINTER + 64 * 8)  # made before fork: a type of a size is dear to a child


def seccomp_program(code: bytes) -> ctypes.Array[ctypes.c_char]:
    """``struct sock_fprog`` in front of its instructions, each a ``struct sock_filter`` of 8 bytes (seccomp(2))."""
    size = 2 * _POINTER + len(code)
    whole = _ROOM if size <= len(_ROOM) else ctypes.create_string_buffer(size)
    count = (len(code) // 8).to_bytes(2, sys.byteorder) + bytes(_POINTER - 2)
    whole.raw = count + (ctypes.addressof(whole) + 2 * _POINTER).to_bytes(_POINTER, sys.byteorder) + code
    return whole


def set_filter(code: bytes) -> None:
    """From now on this process and its children pass through the filter; for good. EACCES: see no_new_privs there."""
    program = seccomp_program(code)
    prctl(PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def unshare(flags: int) -> None:
    """Leave the shared namespaces named by ``flags`` (unshare(2)); CLONE_NEWUSER needs a single thread."""
    check(_unshare(flags))


def setns(fd: int, flags: int = 0) -> None:
    """Enter the namespace behind ``fd`` (setns(2))."""
    check(_setns(fd, flags))


def mount(source: str, target: str, fstype: str | None, flags: int = 0, data: str | None = None) -> None:
    """Attach a file system (mount(2))."""
    check(
        _mount(
            os.fsencode(source),
            os.fsencode(target),
            fstype.encode() if fstype else None,
            flags,
            data.encode() if data else None,
        ),
        target,
    )


_CAPABILITY_VERSION_3 = 0x20080522
_libc.capset.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
_capset = _libc.capset


def drop_capabilities() -> None:
    """Give up every capability, as an exec by an ordinary user does (capabilities(7), capset(2))."""
    header = _CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
    check(_capset(header, bytes(24)))


_PR_CAPBSET_DROP = 24
_CAPABILITIES = 41  # as of Linux 5.9; a number that the kernel does not know is refused and passed over


def keep_capabilities(kept: Iterable[int]) -> None:
    """Give up all other capabilities, also for whatever is executed later (capabilities(7), the bounding set).

    Needs CAP_SETPCAP among those that one has. Raises OSError.
    """
    mask = sum(1 << number for number in kept)
    for number in range(_CAPABILITIES):
        if not mask >> number & 1:
            with suppress(OSError):
                prctl(_PR_CAPBSET_DROP, number)
    low, high = ((mask >> shift & 0xFFFFFFFF).to_bytes(4, sys.byteorder) for shift in (0, 32))
    header = _CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
    check(_capset(header, low + low + bytes(4) + high + high + bytes(4)))


def permitted_capabilities() -> frozenset[int]:
    """The numbers of the capabilities that this process has (capabilities(7), proc_pid_status(5))."""
    with open("/proc/self/status") as file:
        mask = next((int(line.split()[1], 16) for line in file if line.startswith("CapPrm:")), 0)
    return frozenset(number for number in range(64) if mask >> number & 1)


def umount2(target: str, flags: int = 0) -> None:
    """Detach a file system (umount2(2))."""
    check(_umount2(os.fsencode(target), flags), target)


_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_SYS_MOUNT_SETATTR = 442  # the same on every architecture
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine, -1)
_libc.syscall.restype = ctypes.c_long
_syscall = _libc.syscall


def mount_setattr(target: str, attributes: int) -> None:
    """Set MOUNT_ATTR_* on a mount and on everything mounted below it (mount_setattr(2), Linux 5.12)."""
    attr = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns_fd
    at, flags, size = ctypes.c_int(_AT_FDCWD), ctypes.c_uint(_AT_RECURSIVE), ctypes.c_size_t(32)
    check(_syscall(_SYS_MOUNT_SETATTR, at, os.fsencode(target), flags, attr, size), target)


def pivot_root(new_root: str, put_old: str) -> None:
    """Make ``new_root`` the root mount and hang the old one at ``put_old`` (pivot_root(2))."""
    check(_syscall(_SYS_PIVOT_ROOT, os.fsencode(new_root), os.fsencode(put_old)), new_root)
