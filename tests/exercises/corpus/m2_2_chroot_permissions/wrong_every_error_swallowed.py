"""One except clause around everything."""
# misconception: any failure is EPERM
# fails: raised

import os
import sys


def enter(rootfs):
    try:
        os.chdir(rootfs)
        os.chroot(".")
    except OSError as error:
        print("chroot refused:", error, file=sys.stderr)
        return "chdir"
    return "chroot"
