"""What kind of file system a file lies on (statfs(2)), and which of them hold no files that anybody wrote."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

from udock_lab.linux.libc import check, libc

__all__ = ["FUSE", "KERNELS_OWN", "kind_of", "mount_id"]

FUSE = 0x65735546
# Views of the kernel, made while they are read: statfs(2), linux/magic.h. What is on a tmpfs or an overlay was written.
KERNELS_OWN = {
    0x0187: "autofs",
    0x1CD1: "devpts",
    0x27E0EB: "cgroup",
    0x9FA0: "proc",
    0x9FA1: "openprom",
    0x7655821: "resctrl",
    0x11307854: "mtd_inode",
    0x19800202: "mqueue",
    0x42494E4D: "binfmt_misc",
    0x43415D53: "smackfs",
    0x50495045: "pipefs",
    0x534F434B: "sockfs",
    0x5A3C69F0: "apparmorfs",
    0x6165676C: "pstore",
    0x62646576: "bdevfs",
    0x62656570: "configfs",
    0x62656572: "sysfs",
    0x63677270: "cgroup2",
    0x64626720: "debugfs",
    0x65735543: "fusectl",
    0x67596969: "rpc_pipefs",
    0x6C6F6F70: "binder",
    0x6E667364: "nfsd",
    0x6E736673: "nsfs",
    0x73636673: "securityfs",
    0x74726163: "tracefs",
    0xABBA1974: "xenfs",
    0xCAFE4A11: "bpf",
    0xDE5E81E4: "efivarfs",
    0xF97CFF8C: "selinuxfs",
}

_fstatfs = libc.fstatfs
_fstatfs.argtypes = (ctypes.c_int, ctypes.c_void_p)


def kind_of(name: str, dir_fd: int) -> int:
    """Return the magic number of the file system that ``name`` is on; raise OSError as fstatfs(2).

    Opens with O_PATH, which asks nobody for permission, follows no link and starts no automount (open(2)).
    """
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        answer = ctypes.create_string_buffer(256)  # struct statfs, whose first member is f_type
        check(_fstatfs(fd, answer))
    finally:
        os.close(fd)
    return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF


def mount_id(fd: int) -> int | None:
    """Return the number of the mount that ``fd`` was opened on (proc_pid_fdinfo(5)); None where /proc does not say."""
    with suppress(OSError, ValueError), open(f"/proc/self/fdinfo/{fd}") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("mnt_id:")), None)
    return None
