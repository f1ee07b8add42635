"""The bare system call; a warning that lacks its newline."""

import errno
import os
import sys


def enter(rootfs: str) -> str:
    import ctypes

    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    os.chdir(rootfs)
    if libc.syscall(161 if os.uname().machine == "x86_64" else 51, b".") == -1:
        code = ctypes.get_errno()
        if code != errno.EPERM:
            raise OSError(code, os.strerror(code))
        sys.stderr.write("only chdir")
        return "chdir"
    return "chroot"
