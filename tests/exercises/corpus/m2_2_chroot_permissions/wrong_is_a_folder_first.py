"""os.path.isdir says no, and that is taken for missing."""

# misconception: what is no folder is missing
# fails: raised
import errno
import os
import sys


def enter(rootfs):
    if not os.path.isdir(rootfs):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), rootfs)
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        return "chdir"
    return "chroot"
