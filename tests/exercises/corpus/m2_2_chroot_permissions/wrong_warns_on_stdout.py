"""The warning goes where the container's output goes."""
# misconception: print is the place for warnings
# fails: warns

import errno
import os


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused, chdir only")
        return "chdir"
    return "chroot"
