"""chroot(".") before going there: the root becomes whatever folder the process was in."""
# misconception: the order of chdir and chroot(".") does not matter
# fails: root

import errno
import os
import sys


def enter(rootfs):
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        os.chdir(rootfs)
        return "chdir"
    os.chdir(os.path.basename(rootfs) if os.path.isdir(os.path.basename(rootfs)) else "/")
    return "chroot"
