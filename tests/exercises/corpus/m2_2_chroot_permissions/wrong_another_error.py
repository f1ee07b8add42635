"""The kernel's error is replaced by a sentence."""
# misconception: the number of an error is of no use to a caller
# fails: raised

import errno
import os
import sys


def enter(rootfs):
    try:
        os.chdir(rootfs)
    except OSError:
        raise ValueError(f"{rootfs} is no folder") from None
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
