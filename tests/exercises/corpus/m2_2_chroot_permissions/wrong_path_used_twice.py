"""chdir(rootfs), then chroot(rootfs): right for absolute paths only."""
# misconception: a relative path means the same after chdir
# fails: relative

import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(rootfs)
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
