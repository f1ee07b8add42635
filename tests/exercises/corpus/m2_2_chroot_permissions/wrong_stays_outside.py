"""Refused: the word is returned, the working directory is not changed."""
# misconception: where chroot is refused, there is nothing left to do
# fails: eperm

import errno
import os
import sys


def enter(rootfs):
    try:
        os.chroot(rootfs)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
