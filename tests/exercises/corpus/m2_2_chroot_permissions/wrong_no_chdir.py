"""chroot, and no chdir at all."""
# misconception: chroot changes the working directory
# fails: cwd

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
        os.chdir(rootfs)
        return "chdir"
    return "chroot"
