"""The traceback is printed."""

# misconception: more words warn better
# fails: warns
import errno
import os
import sys
import traceback


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        traceback.print_exc()
        return "chdir"
    os.chdir("/")
    return "chroot"
