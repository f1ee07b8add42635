"""chroot(2) through ctypes; the result and errno are read by hand, as in C."""

import ctypes
import errno
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)


def enter(rootfs):
    path = os.fsencode(rootfs)
    if libc.chdir(path) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), rootfs)
    if libc.chroot(b".") == -1:
        number = ctypes.get_errno()
        if number != errno.EPERM:
            raise OSError(number, os.strerror(number), rootfs)
        sys.stderr.write("chroot failed (need root). Running with chdir only.\n")
        return "chdir"
    if libc.chdir(b"/") == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), "/")
    return "chroot"
