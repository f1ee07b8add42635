"""A missing folder is made on the way."""
# misconception: a missing folder is to be repaired, not reported
# fails: raised

import errno
import os
import sys


def enter(rootfs):
    os.makedirs(rootfs, exist_ok=True)
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
