"""Tries in a child first, then does it itself."""

import errno
import os
import sys


def may_chroot(rootfs):
    pid = os.fork()
    if pid == 0:
        try:
            os.chroot(rootfs)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def enter(rootfs: str) -> str:
    answer = may_chroot(rootfs)
    if answer == 0:
        os.chroot(rootfs)
        os.chdir("/")
        return "chroot"
    if answer == errno.EPERM:
        print("no chroot", file=sys.stderr)
        os.chdir(rootfs)
        return "chdir"
    raise OSError(answer, os.strerror(answer), rootfs)
