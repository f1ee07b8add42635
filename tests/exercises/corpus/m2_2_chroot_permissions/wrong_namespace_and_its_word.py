"""The same, and the word says so."""

# misconception: inside is inside, whoever gave the right
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
        os.chdir("/")
        return "chroot"
    os.chdir("/")
    return "chroot"
