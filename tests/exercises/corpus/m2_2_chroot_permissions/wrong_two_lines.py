"""Two lines."""

# misconception: one line or more, all the same
# fails: warns
import errno
import os
import sys


def enter(rootfs):
    os.chdir(rootfs)
    try:
        os.chroot(".")
    except OSError as error:
        if error.errno != errno.EPERM:
            raise
        print("chroot refused", file=sys.stderr)
        print("going on with chdir only", file=sys.stderr)
        return "chdir"
    os.chdir("/")
    return "chroot"
