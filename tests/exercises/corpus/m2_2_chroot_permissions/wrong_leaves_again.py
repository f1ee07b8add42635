"""chdir("/") on both ways; where chroot was refused, that is the machine's own root."""
# misconception: / is the folder, whatever chroot answered
# fails: eperm

import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    how = "chroot"
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        how = "chdir"
    os.chdir("/")
    return how
