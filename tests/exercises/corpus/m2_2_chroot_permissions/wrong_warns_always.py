"""The warning comes before anything was tried."""
# misconception: one warning too many does no harm
# fails: warns

import errno
import os
import sys


def enter(rootfs):
    print("warning: chroot may be refused here", file=sys.stderr)
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        return "chdir"
    return "chroot"
