"""chroot is tried by root alone."""
# misconception: without root nothing can be done
# fails: asks

import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    if os.geteuid() == 0:
        try:
            os.chroot(".")
            return "chroot"
        except OSError as error:
            if error.errno != errno.EPERM:
                raise
    print("chroot refused", file=sys.stderr)
    return "chdir"
