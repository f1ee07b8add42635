"""Every error is printed, and then raised."""

# misconception: an error that is raised is to be shown, too
# fails: warns
import errno
import os
import sys


def enter(rootfs):
    try:
        os.chdir(rootfs)
        os.chroot(".")
        return "chroot"
    except OSError as error:
        print("enter:", error, file=sys.stderr)
        if error.errno != errno.EPERM:
            raise
        return "chdir"
