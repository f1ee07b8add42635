"""Nobody hears that nothing is shut in."""
# misconception: a return value is warning enough
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
        return "chdir"
    return "chroot"
