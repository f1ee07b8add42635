"""Where chroot is refused, the right is made in a user namespace, and chroot called again."""

# misconception: a refusal is to be got round
# fails: eperm
import ctypes
import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        ctypes.CDLL(None).unshare(0x10000000)  # CLONE_NEWUSER
        os.chroot(".")
        print("chroot refused", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
