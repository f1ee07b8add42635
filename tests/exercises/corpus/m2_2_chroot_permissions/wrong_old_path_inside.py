"""After chroot, the folder is looked for under its old name."""
# misconception: paths mean the same before and after chroot
# fails: root

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
    os.chdir(rootfs)
    return "chroot"
